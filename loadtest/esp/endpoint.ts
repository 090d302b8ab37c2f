/**
 * A process with a userland backend, for a network namespace of its own: test/helpers/esp-namespaces.ts starts it there and talks to it over IPC. It also
 * sends and receives over TCP, as a host behind the gateway would.
 */
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { type Flow, KernelError, type SaContext } from '../../src/kernel/backend.ts';
import { AddressFamily, OptionLevel, SocketOption, SocketType } from '../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../src/kernel/native/native-socket.ts';
import { toSocketAddress } from '../../src/kernel/udp/endpoint-bytes.ts';
import { UserlandBackend, type UserlandOptions } from '../../src/kernel/userland/userland-backend.ts';
import type { Endpoint } from '../../src/shared/address.ts';
import type { SaId } from '../../src/shared/connection/events.ts';
import { InvariantError } from '../../src/shared/errors.ts';
import type { IpsecSa } from '../../src/shared/threads/contract.ts';

import { boundUdp, openIkeSocket } from './bound-udp.ts';
import { type WireCounts, watchWire } from './wire-watch.ts';

export type EndpointCommand =
  | { readonly kind: 'open'; readonly options: Omit<UserlandOptions, 'upcalls'> }
  | { readonly kind: 'addSa'; readonly sa: IpsecSa; readonly context: SaContext }
  | { readonly kind: 'moveSa'; readonly id: SaId; readonly source: Endpoint; readonly destination: Endpoint }
  | { readonly kind: 'deleteSa' | 'querySa'; readonly id: SaId }
  | { readonly kind: 'putFlow'; readonly flow: Flow }
  | { readonly kind: 'deleteFlow'; readonly id: number }
  /** Opens IKE's socket, then ESP's beside it; tells 'ike' with what the first one gets. */
  | { readonly kind: 'encapsulate'; readonly local: Endpoint; readonly mark: number }
  /** Has the kernel take ESP out of UDP on this address and port. */
  | { readonly kind: 'kernelEncapsulation'; readonly local: Endpoint }
  | { readonly kind: 'stopEncapsulating'; readonly local: Endpoint }
  /** Counts packets on an interface until 'stopWatching', which answers WireCounts. */
  | { readonly kind: 'watch'; readonly interfaceName: string }
  | { readonly kind: 'stopWatching' }
  | { readonly kind: 'listOwn' | 'purgeOwn' | 'statistics' | 'close' }
  /** A UDP socket; tells 'datagram' with the text of each. */
  | { readonly kind: 'listen'; readonly local: Endpoint }
  /** One UDP datagram; `mark`: of its socket, for going around the tunnel. */
  | {
      readonly kind: 'datagram';
      readonly from: string;
      readonly to: Endpoint;
      readonly text: string;
      readonly mark: number;
    }
  /** A packet on protocol 50 between outer addresses. */
  | { readonly kind: 'inject'; readonly to: string; readonly packet: Uint8Array; readonly mark: number }
  /** Answers the port; tells 'received' with size and hash at the end of a connection. */
  | { readonly kind: 'serve'; readonly address: string }
  /** Answers the hash of what was sent. */
  | { readonly kind: 'send'; readonly from: string; readonly to: Endpoint; readonly bytes: number };

export type EndpointMessage =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly reason: string; readonly text: string }
  | { readonly event: string; readonly value: unknown };

let backend: UserlandBackend | undefined;
let stopWatching: (() => WireCounts) | undefined;
/** What IKE's sockets received. */
const ikeSockets = new Map<string, NativeSocket>();

const tell = (message: EndpointMessage): void => {
  process.send?.(message);
};
const event = (name: string, value: unknown): void => tell({ event: name, value });

const open = async (options: Omit<UserlandOptions, 'upcalls'>): Promise<void> => {
  backend = await UserlandBackend.open({
    ...options,
    upcalls: {
      acquire: (acquire) => event('acquire', acquire),
      expire: (expire) => event('expire', expire),
      mapping: (mapping) => event('mapping', mapping),
      lost: (gone) => event('lost', gone),
      failed: (error) => event('failed', error.message),
    },
  });
};

const opened = (): UserlandBackend => {
  if (backend === undefined) throw new InvariantError('the endpoint is not open');
  return backend;
};

const encapsulate = async (local: Endpoint, mark: number): Promise<void> => {
  const socket = openIkeSocket(local, mark);
  socket.startReading(
    { maxSize: 2048, batch: 16 },
    {
      onBatch: (batch) => {
        for (let i = 0; i < batch.count; i++) event('ike', Buffer.from(batch.bytes(i)).toString('hex'));
      },
      onError: (error) => event('failed', error.message),
    },
  );
  ikeSockets.set(local.address, socket);
  await opened().encapsulation.open(local);
};

const kernelEncapsulation = (local: Endpoint): void => {
  const socket = boundUdp(local, 0);
  socket.setInteger(17, UDP_ENCAP, UDP_ENCAP_ESPINUDP);
  ikeSockets.set(local.address, socket);
};

/** ms; a transfer through a tunnel that does not work ends then. */
const PATIENCE = 5000;
const UDP_ENCAP = 100;
const UDP_ENCAP_ESPINUDP = 2;

const listen = (local: Endpoint): void => {
  boundUdp(local, 0).startReading(
    { maxSize: 65_535, batch: 16 },
    {
      onBatch: (batch) => {
        for (let i = 0; i < batch.count; i++) event('datagram', Buffer.from(batch.bytes(i)).toString());
      },
      onError: (error) => event('failed', error.message),
    },
  );
};

const sendDatagram = (from: string, to: Endpoint, text: string, mark: number): void => {
  const socket = boundUdp({ address: from, port: 0 }, mark);
  socket.send(Buffer.from(text), toSocketAddress(to));
  socket.close();
};

const inject = (to: string, packet: Uint8Array, mark: number): void => {
  const family = to.includes(':') ? AddressFamily.INET6 : AddressFamily.INET;
  const socket = NativeSocket.open({ family, type: SocketType.RAW, protocol: 50 });
  socket.setInteger(OptionLevel.SOCKET, SocketOption.MARK, mark);
  socket.send(packet, toSocketAddress({ address: to, port: 0 }));
  socket.close();
};

const serve = (address: string): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      const hash = createHash('sha256');
      let size = 0;
      socket.on('data', (data) => {
        size += data.length;
        hash.update(data);
      });
      socket.on('end', () => {
        socket.end();
        event('received', { size, hash: hash.digest('hex') });
      });
    });
    server.listen(0, address, () => {
      const name = server.address();
      resolve(typeof name === 'object' && name !== null ? name.port : 0);
    });
  });

const send = (from: string, to: Endpoint, bytes: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    const chunk = Buffer.alloc(65_536);
    const socket = connect({ host: to.address, port: to.port, localAddress: from });
    let left = bytes;
    const more = (): void => {
      while (left > 0) {
        const part = Buffer.from(chunk.fill(left & 0xff).subarray(0, Math.min(left, chunk.length)));
        left -= part.length;
        hash.update(part);
        if (!socket.write(part)) return;
      }
      socket.end();
    };
    socket.setTimeout(PATIENCE, () => socket.destroy(new InvariantError(`nothing came through in ${PATIENCE} ms`)));
    socket.on('connect', more).on('drain', more).on('error', reject).resume();
    socket.on('close', () => resolve(hash.digest('hex')));
  });

const execute = async (command: EndpointCommand): Promise<unknown> => {
  switch (command.kind) {
    case 'open':
      return open(command.options);
    case 'addSa':
      return opened().addSa(command.sa, command.context);
    case 'moveSa':
      return opened().moveSa(command.id, command.source, command.destination);
    case 'deleteSa':
      return opened().deleteSa(command.id);
    case 'querySa':
      return opened().querySa(command.id);
    case 'putFlow':
      return opened().putFlow(command.flow);
    case 'deleteFlow':
      return opened().deleteFlow(command.id);
    case 'encapsulate':
      return encapsulate(command.local, command.mark);
    case 'kernelEncapsulation':
      return kernelEncapsulation(command.local);
    case 'stopEncapsulating':
      await opened().encapsulation.close(command.local);
      return ikeSockets.get(command.local.address)?.close();
    case 'watch':
      stopWatching = watchWire(command.interfaceName);
      return undefined;
    case 'stopWatching':
      return stopWatching?.();
    case 'listOwn':
      return opened().listOwn();
    case 'purgeOwn':
      return opened().purgeOwn();
    case 'statistics':
      return opened().statistics();
    case 'close':
      return opened().close();
    case 'listen':
      return listen(command.local);
    case 'datagram':
      return sendDatagram(command.from, command.to, command.text, command.mark);
    case 'inject':
      return inject(command.to, command.packet, command.mark);
    case 'serve':
      return serve(command.address);
    case 'send':
      return send(command.from, command.to, command.bytes);
  }
};

process.on('message', (message: { readonly call: number; readonly command: EndpointCommand }) => {
  execute(message.command).then(
    (value) => tell({ call: message.call, value }),
    (fault: unknown) => {
      const reason = fault instanceof KernelError ? fault.reason : 'fault';
      tell({
        call: message.call,
        reason,
        text: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault),
      });
    },
  );
});
process.on('disconnect', () => process.exit());
