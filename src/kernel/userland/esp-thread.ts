/** Entry of the ESP thread: the tunnel device and the sockets around the engine, commands in, upcalls out. It ends with its worker. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { InvariantError, SystemError } from '../../shared/errors.ts';
import { KernelError } from '../backend.ts';
import { NativeSocket } from '../native/native-socket.ts';
import type { EspAnswer, EspCall, EspCommand, EspMessage, EspThreadStart } from './contract.ts';
import { type Drop, NO_DROPS } from './drops.ts';
import { type EngineTime, EspEngine } from './esp-engine.ts';
import { makeSa, outerEnd } from './make-sa.ts';
import { OuterSockets } from './outer-sockets.ts';
import { SaCounters } from './sa-counters.ts';
import { DEVICE_HEADER, TcpCoalescer } from './tcp-coalescer.ts';

class EspThread {
  readonly #port: MessagePort;
  readonly #device: NativeSocket;
  readonly #outer: OuterSockets;
  readonly #engine: EspEngine;
  readonly #inwards: TcpCoalescer;
  readonly #drops: Record<Drop, number> = { ...NO_DROPS };
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(port: MessagePort, start: EspThreadStart) {
    this.#port = port;
    const dropped = (why: Drop): void => {
      this.#drops[why]++;
    };
    this.#inwards = new TcpCoalescer((frame) => {
      try {
        this.#device.send(frame);
      } catch (fault) {
        refusedBySystem(fault, dropped);
      }
    });
    this.#engine = new EspEngine(
      {
        transmit: (sa, packet, trafficClass, isDontFragment) => {
          try {
            return this.#outer.send(sa, packet, trafficClass, isDontFragment);
          } catch (fault) {
            return refusedBySystem(fault, dropped);
          }
        },
        deliver: (packet) => this.#inwards.add(packet),
        acquire: (acquire) => this.#say({ kind: 'acquire', acquire }),
        expire: (expire) => this.#say({ kind: 'expire', expire }),
        mapping: (mapping) => this.#say({ kind: 'mapping', mapping }),
        dropped,
      },
      new SaCounters(start.counters),
      timeNow(),
    );
    this.#device = NativeSocket.openTun(start.interfaceName, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
    this.#outer = new OuterSockets(start.mark, {
      onPacket: (bytes, from, arrival) => this.#engine.inbound(bytes, from, bytes.length, arrival),
      onWake: () => this.#engine.advance(timeNow()),
      onSlept: () => this.#sleep(),
      // ICMP errors that the kernel reports on a socket: the packets they are about are gone.
      onError: () => dropped('notSent'),
    });
    this.#device.startReading(
      { maxSize: DEVICE_HEADER + start.mtu, batch: BATCH },
      {
        onBatch: (batch) => {
          this.#engine.advance(timeNow());
          for (let i = 0; i < batch.count; i++) this.#engine.outbound(batch.bytes(i), DEVICE_HEADER);
          this.#sleep();
        },
        // The device is gone: nothing of this thread makes sense any more, and main starts another one.
        onError: (error) => {
          throw error;
        },
      },
    );
    port.on('message', (call: EspCall) => this.#answer(call));
    this.#say({ kind: 'ready' });
  }

  #answer({ call, command }: EspCall): void {
    this.#engine.advance(timeNow());
    try {
      this.#say({ kind: 'done', call, value: this.#execute(command) });
    } catch (fault) {
      this.#say({ kind: 'refused', call, ...refusalOf(fault) });
    }
    this.#sleep();
  }

  #execute(command: EspCommand): EspAnswer {
    const engine = this.#engine;
    switch (command.kind) {
      case 'addSa':
        return this.#addSa(command);
      case 'moveSa':
        return this.#moveSa(command);
      case 'deleteSa':
        engine.sas.remove(engine.sas.get(command.id));
        return undefined;
      case 'putFlow':
        engine.putFlow(command.flow);
        return undefined;
      case 'deleteFlow':
        engine.deleteFlow(command.id);
        return undefined;
      case 'openEncapsulation':
        this.#outer.openEncapsulation(command.local);
        return undefined;
      case 'closeEncapsulation':
        this.#outer.closeEncapsulation(command.local);
        return undefined;
      case 'statistics':
        return { drops: { ...this.#drops } };
    }
  }

  #addSa({ sa, context, slot }: Extract<EspCommand, { readonly kind: 'addSa' }>): undefined {
    try {
      const made = makeSa(sa, context, slot);
      if (made.direction === 'out') this.#outer.check(made);
      this.#engine.addSa(made);
    } finally {
      sa.encryptionKey.fill(0);
      sa.authenticationKey.fill(0);
    }
  }

  #moveSa({ id, source, destination }: Extract<EspCommand, { readonly kind: 'moveSa' }>): EspAnswer {
    const { sas } = this.#engine;
    const sa = sas.get(id);
    const [from, to] = [outerEnd(source.address, source.port), outerEnd(destination.address, destination.port)];
    if (sa.direction === 'out') this.#outer.check({ source: from });
    const name = { ...id, destination: to.text };
    sas.rename(sa, name);
    sa.source = from;
    sa.destination = to;
    if (sa.direction === 'in') sa.reported = '';
    else sa.pathMtu = 0;
    return name;
  }

  #say(message: EspMessage): void {
    this.#port.postMessage(message);
  }

  /** Nothing more to do: what was gathered for the host and for peers goes there, and the timer is armed for the next deadline; one that is too early does no harm. */
  #sleep(): void {
    this.#inwards.flush();
    this.#outer.flush();
    const at = this.#engine.nextDeadline ?? Number.POSITIVE_INFINITY;
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.min(Math.max(Math.ceil(at - timeNow().now), 1), LONGEST_TIMEOUT);
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#engine.advance(timeNow());
      this.#sleep();
    }, delay);
  }
}

const timeNow = (): EngineTime => ({ now: performance.now(), epoch: Math.floor(Date.now() / 1000) });

/** A packet that the system did not take is one of many: it is counted. */
const refusedBySystem = (fault: unknown, dropped: (why: Drop) => void): number => {
  if (!(fault instanceof SystemError)) throw fault;
  dropped('notSent');
  return 0;
};

const refusalOf = (fault: unknown): Pick<Extract<EspMessage, { readonly kind: 'refused' }>, 'reason' | 'text'> => {
  if (fault instanceof KernelError) return { reason: fault.reason, text: fault.message };
  if (fault instanceof SystemError || fault instanceof InvariantError) return { reason: 'failed', text: fault.message };
  throw fault;
};

const IFF_TUN = 0x0001;
/** Packets without a header of the device's own. */
const IFF_NO_PI = 0x1000;
/** But one that can say that a packet is many segments. */
const IFF_VNET_HDR = 0x4000;
/** Packets of one wake: then sockets and commands have their turn. */
const BATCH = 64;
/** setTimeout fires at once for anything longer. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

if (parentPort === null) throw new InvariantError('esp-thread.js is for a worker');
new EspThread(parentPort, workerData);
