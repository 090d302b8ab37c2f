/**
 * One end of a tunnel: a process with a backend, for a network namespace of its own; end-process.ts starts it and talks to it over IPC. It sends and receives datagrams too,
 * as programs on that machine would.
 */
import { execFileSync } from 'node:child_process';
import { type KernelBackend, KernelError } from '../../../src/kernel/backend.ts';
import { AddressFamily, SocketType } from '../../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../../src/kernel/native/native-socket.ts';
import { toSocketAddress } from '../../../src/kernel/udp/endpoint-bytes.ts';
import type { Endpoint } from '../../../src/shared/address.ts';
import { InvariantError, SystemError } from '../../../src/shared/errors.ts';
import { virtualTimers } from '../../helpers/virtual-timers.ts';
import { BentSocket } from './bent-socket.ts';
import { IMPLEMENTATIONS, type Implementation, type Name } from './implementations.ts';

export type Method = Exclude<keyof KernelBackend, 'name' | 'capabilities' | 'encapsulation'>;
export type Call = {
  [M in Method]: { readonly method: M; readonly args: Readonly<Parameters<KernelBackend[M]>> };
}[Method];

export type EndCommand =
  /** Answers the capabilities. `receiveBuffer`: bytes of its sockets at most. */
  | { readonly kind: 'open'; readonly name: Name; readonly receiveBuffer?: number }
  | { readonly kind: 'call'; readonly call: Call }
  /** Runs a command of sh(1) while this process reads nothing, and makes the calls before it reads anything; answers their outcomes. */
  | { readonly kind: 'callDeaf'; readonly command: string; readonly calls: readonly Call[] }
  | { readonly kind: 'bend'; readonly what: 'lose' | 'hold'; readonly skip: number }
  /** Answers whether that has happened. */
  | { readonly kind: 'straighten' }
  /** Reads all there is; then so many ms pass for the backend. */
  | { readonly kind: 'elapse'; readonly milliseconds: number }
  | { readonly kind: 'encapsulate'; readonly local: Endpoint }
  | { readonly kind: 'listen'; readonly local: Endpoint }
  /** Answers how many datagrams have come there since, once they are `count` or none comes for a quarter of a second. */
  | { readonly kind: 'received'; readonly local: Endpoint; readonly count: number }
  /** Answers how many the system took. */
  | {
      readonly kind: 'send';
      readonly from: Endpoint;
      readonly to: Endpoint;
      readonly count: number;
      readonly size: number;
      /** Past all policies, as IKE is sent. */
      readonly isIke?: boolean;
    };

export type EndMessage =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly reason: KernelError['reason'] | 'fault'; readonly text: string }
  | { readonly upcall: 'acquire' | 'expire' | 'mapping' | 'lost' | 'failed'; readonly value: unknown };

/** How a promise ended. */
export type Outcome =
  | { readonly value: unknown }
  | { readonly reason: KernelError['reason'] | 'fault'; readonly text: string };

const tell = (message: EndMessage): void => {
  process.send?.(message);
};

const timers = virtualTimers();
let implementation: Implementation | undefined;
let backend: KernelBackend | undefined;
let socket = new BentSocket(() => false);
let mostReceiveBuffer = Number.POSITIVE_INFINITY;
const listeners = new Map<string, { count: number }>();

/** The real sockets of the backends, but for the size of their buffers. */
const setReceiveBuffer = NativeSocket.prototype.setReceiveBuffer;
NativeSocket.prototype.setReceiveBuffer = function (bytes: number): void {
  setReceiveBuffer.call(this, Math.min(bytes, mostReceiveBuffer));
};

const open = async (name: Name, receiveBuffer: number): Promise<unknown> => {
  mostReceiveBuffer = receiveBuffer;
  implementation = IMPLEMENTATIONS[name];
  socket = new BentSocket(implementation.socket?.isAnswer ?? (() => false));
  const upcalls = {
    acquire: (value: unknown) => tell({ upcall: 'acquire', value }),
    expire: (value: unknown) => tell({ upcall: 'expire', value }),
    mapping: (value: unknown) => tell({ upcall: 'mapping', value }),
    lost: (value: unknown) => tell({ upcall: 'lost', value }),
    failed: (value: SystemError) => tell({ upcall: 'failed', value: value.message }),
  };
  backend = await implementation.open(upcalls, { bend: socket.bend, schedule: timers.schedule });
  return backend.capabilities;
};

const opened = (): KernelBackend => {
  if (backend === undefined) throw new InvariantError('this end is not open');
  return backend;
};

const perform = (call: Call): Promise<unknown> => Reflect.apply(opened()[call.method], opened(), call.args);

const callDeaf = (command: string, calls: readonly Call[]): Promise<readonly Outcome[]> => {
  execFileSync('/bin/sh', ['-c', command]);
  return Promise.all(calls.map((call) => perform(call).then((value) => ({ value }), faultOf)));
};

const activity = async (): Promise<unknown> => implementation?.activity?.(opened()) ?? socket.count;

/** The kernel has answered when a call of it returns, and a thread reads once between two calls: so what does not come in some turns does not come. */
const elapse = async (milliseconds: number): Promise<void> => {
  for (let quiet = 0, seen = await activity(); quiet < QUIET_TURNS; quiet++) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = await activity();
    if (now !== seen) quiet = 0;
    seen = now;
  }
  timers.advance(milliseconds);
};

const encapsulate = async (local: Endpoint): Promise<void> => {
  await implementation?.encapsulate(opened(), local);
};

const udpSocket = (local: Endpoint): NativeSocket => {
  const family = local.address.includes(':') ? AddressFamily.INET6 : AddressFamily.INET;
  const udp = NativeSocket.open({ family, type: SocketType.DGRAM, protocol: 0 });
  udp.bind(toSocketAddress(local));
  return udp;
};

const nameOf = ({ address, port }: Endpoint): string => `${address} ${port}`;

const listen = (local: Endpoint): void => {
  if (listeners.has(nameOf(local))) return;
  const listener = { count: 0 };
  listeners.set(nameOf(local), listener);
  const events = {
    onBatch: ({ count }: { readonly count: number }) => {
      listener.count += count;
    },
    // Of ICMP.
    onError: () => {},
  };
  udpSocket(local).startReading({ maxSize: 2048, batch: 64 }, events);
};

/** Ends when all are there. What the kernel has dropped leaves no sign, so it also ends when nothing came for a while. */
const received = async (local: Endpoint, count: number): Promise<number> => {
  const listener = listeners.get(nameOf(local));
  if (listener === undefined) throw new InvariantError(`nobody listens on ${nameOf(local)}`);
  for (let quiet = 0, seen = listener.count; listener.count < count && quiet < PATIENCE_MS; quiet += TURN_MS) {
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    if (listener.count !== seen) quiet = 0;
    seen = listener.count;
  }
  const found = listener.count;
  listener.count = 0;
  return found;
};

const send = ({ from, to, count, size, isIke }: Extract<EndCommand, { readonly kind: 'send' }>): number => {
  const udp = udpSocket(from);
  const family = from.address.includes(':') ? 6 : 4;
  for (const { level, option, value } of isIke === true ? (implementation?.bypass?.(family) ?? []) : []) {
    udp.setOption(level, option, value);
  }
  const [destination, packet] = [toSocketAddress(to), new Uint8Array(size)];
  let taken = 0;
  for (let i = 0; i < count; i++) {
    try {
      udp.send(packet, destination);
      taken++;
    } catch (fault) {
      // No SA for it.
      if (!(fault instanceof SystemError)) throw fault;
    }
  }
  udp.close();
  return taken;
};

const execute = async (command: EndCommand): Promise<unknown> => {
  switch (command.kind) {
    case 'open':
      return open(command.name, command.receiveBuffer ?? Number.POSITIVE_INFINITY);
    case 'call':
      return perform(command.call);
    case 'callDeaf':
      return callDeaf(command.command, command.calls);
    case 'bend':
      return socket.plan(command.what, command.skip);
    case 'straighten':
      return socket.end();
    case 'elapse':
      return elapse(command.milliseconds);
    case 'encapsulate':
      return encapsulate(command.local);
    case 'listen':
      return listen(command.local);
    case 'received':
      return received(command.local, command.count);
    case 'send':
      return send(command);
  }
};

const faultOf = (fault: unknown): Extract<Outcome, { readonly text: string }> => ({
  reason: fault instanceof KernelError ? fault.reason : 'fault',
  text: fault instanceof KernelError ? fault.message : fault instanceof Error ? `${fault.stack}` : String(fault),
});

const QUIET_TURNS = 4;
const TURN_MS = 5;
const PATIENCE_MS = 250;

process.on('message', ({ call, command }: { readonly call: number; readonly command: EndCommand }) => {
  execute(command).then(
    (value) => tell({ call, value }),
    (fault: unknown) => tell({ call, ...faultOf(fault) }),
  );
});
process.on('disconnect', () => process.exit());
