/** A kernel that keeps SAs and policies as XFRM does, as far as the messages of our backend go. It answers within `send`, as the real one does. */
import type { KernelSocketEvents, OpenKernelSocket } from '../../src/kernel/kernel-socket.ts';
import { Draft } from '../../src/kernel/xfrm/draft.ts';
import { policyKey } from '../../src/kernel/xfrm/flow-policies.ts';
import { Attribute, MessageFlag, MessageType, SaField, Size } from '../../src/kernel/xfrm/layout.ts';
import { type PolicySpec, readPolicy } from '../../src/kernel/xfrm/policy-messages.ts';
import { Fields, type Message, readAttributes, readDatagram } from '../../src/kernel/xfrm/reader.ts';
import { readSa, type SaState } from '../../src/kernel/xfrm/sa-state.ts';
import { protocolIdOf, readAddress, readRoute, readSelector, saKey } from '../../src/kernel/xfrm/structs.ts';

const EEXIST = 17;
const ENOENT = 2;
const ENOSYS = 38;
const ESRCH = 3;

interface KeptSa {
  readonly bytes: Uint8Array;
  readonly state: SaState;
}

export class FakeXfrmKernel {
  readonly sas = new Map<string, KeptSa>();
  readonly policies = new Map<string, { readonly bytes: Uint8Array; readonly spec: PolicySpec }>();
  /** Names of algorithms that it lacks. */
  readonly lacks = new Set<string>();
  /** Types of the messages that came, in order. */
  readonly received: number[] = [];
  /** Answers that are lost: the next so many. */
  losing = 0;
  #events: KernelSocketEvents | undefined;

  readonly open: OpenKernelSocket = (events) => {
    this.#events = events;
    return {
      send: (bytes) => {
        for (const message of readDatagram(bytes.slice()).messages) this.#take(message);
      },
      close: () => {
        this.#events = undefined;
      },
    };
  };

  get events(): KernelSocketEvents {
    if (this.#events === undefined) throw new RangeError('nobody listens');
    return this.#events;
  }

  /** The SA of this SPI. */
  sa(spi: number): SaState | undefined {
    return this.#kept(spi)?.state;
  }

  /** Its attributes and fixed structure. */
  fields(spi: number): { readonly info: Fields; readonly attributes: ReadonlyMap<number, Fields> } {
    const bytes = this.#kept(spi)?.bytes ?? new Uint8Array(Size.SA);
    return { info: new Fields(bytes), attributes: readAttributes(new Fields(bytes), Size.SA) ?? new Map() };
  }

  /** An SA that the kernel has by itself. */
  keep(bytes: Uint8Array): void {
    const state = readSa(new Fields(bytes));
    if (state !== undefined) this.sas.set(keyOf(state), { bytes, state });
  }

  /** Something that nobody asked for. */
  say(type: number, payload: Uint8Array): void {
    this.#send(type, 0, 0, payload, 0);
  }

  #kept(spi: number): KeptSa | undefined {
    return [...this.sas.values()].find(({ state }) => state.id.spi === spi);
  }

  #take(message: Message): void {
    this.received.push(message.type);
    const { type, flags } = message;
    const isDump = (flags & MessageFlag.DUMP) === MessageFlag.DUMP;
    if (type === MessageType.ALLOCSPI) this.#allocate(message);
    else if (type === MessageType.NEWSA || type === MessageType.UPDSA) this.#verdict(message, this.#put(message));
    else if (type === MessageType.GETSA || type === MessageType.DELSA) {
      if (isDump) this.#dump(message, MessageType.NEWSA, [...this.sas.values()]);
      else this.#named(message);
    } else if (type === MessageType.NEWPOLICY || type === MessageType.UPDPOLICY) this.#putPolicy(message);
    else if (isDump) this.#dump(message, MessageType.NEWPOLICY, [...this.policies.values()]);
    else if (type === MessageType.GETPOLICY || type === MessageType.DELPOLICY) this.#namedPolicy(message);
    else this.#verdict(message, 0);
  }

  #allocate(message: Message): void {
    const bytes = message.payload.bytes.slice(0, Size.SA);
    new DataView(bytes.buffer).setUint32(SaField.SPI, message.payload.u32(Size.SA));
    const state = readSa(new Fields(bytes));
    if (state === undefined || this.sas.has(keyOf(state))) this.#verdict(message, ENOENT);
    else {
      this.sas.set(keyOf(state), { bytes, state });
      this.#send(MessageType.NEWSA, 0, message.sequence, bytes);
    }
  }

  #put({ type, payload }: Message): number {
    const state = readSa(payload);
    const attributes = readAttributes(payload, Size.SA);
    const names = [Attribute.ALG_AEAD, Attribute.ALG_AUTH_TRUNC, Attribute.ALG_CRYPT].map((attribute) => {
      const value = attributes?.get(attribute)?.bytes ?? new Uint8Array();
      return new TextDecoder().decode(value.subarray(0, Size.ALGORITHM_NAME)).replaceAll('\0', '');
    });
    if (state === undefined || names.some((name) => this.lacks.has(name))) return ENOSYS;
    const isThere = this.sas.has(keyOf(state));
    if (isThere === (type === MessageType.NEWSA)) return isThere ? EEXIST : ESRCH;
    this.sas.set(keyOf(state), { bytes: payload.bytes.slice(), state });
    return 0;
  }

  #named(message: Message): void {
    const { payload, type, sequence } = message;
    const destination = readAddress(payload, 0, payload.u16(20)) ?? '';
    const { mark } = readRoute(readAttributes(payload, Size.SA_ID) ?? new Map());
    const id = { protocolId: protocolIdOf(payload.u8(22)) ?? 0, spi: payload.networkU32(16), destination };
    const key = `${saKey(id)} ${mark}`;
    const found = this.sas.get(key);
    if (found === undefined) this.#verdict(message, ESRCH);
    else if (type === MessageType.GETSA) this.#send(MessageType.NEWSA, 0, sequence, found.bytes);
    else {
      this.sas.delete(key);
      this.#verdict(message, 0);
    }
  }

  #putPolicy(message: Message): void {
    const spec = readPolicy(message.payload);
    const key = spec === undefined ? '' : policyKey(spec);
    if (spec === undefined || (message.type === MessageType.NEWPOLICY && this.policies.has(key))) {
      this.#verdict(message, EEXIST);
    } else {
      this.policies.set(key, { bytes: message.payload.bytes.slice(), spec });
      this.#verdict(message, 0);
    }
  }

  #namedPolicy(message: Message): void {
    const { payload, type, sequence } = message;
    const selectors = readSelector(payload, 0);
    const direction = payload.u8(Size.SELECTOR + 4);
    const route = readRoute(readAttributes(payload, Size.POLICY_ID) ?? new Map());
    const known = [...this.policies.entries()].find(
      ([key, { spec }]) =>
        selectors !== undefined && key === policyKey({ ...spec, selectors, route }) && spec.direction === direction,
    );
    if (known === undefined) this.#verdict(message, ENOENT);
    else if (type === MessageType.GETPOLICY) this.#send(MessageType.NEWPOLICY, 0, sequence, known[1].bytes);
    else {
      this.policies.delete(known[0]);
      this.#verdict(message, 0);
    }
  }

  #dump({ sequence }: Message, type: number, all: readonly { readonly bytes: Uint8Array }[]): void {
    for (const { bytes } of all) this.#send(type, MessageFlag.MULTI, sequence, bytes);
    this.#send(MessageType.DONE, MessageFlag.MULTI, sequence, new Uint8Array(4));
  }

  #verdict({ sequence }: Message, errno: number): void {
    const body = new Uint8Array(4 + Size.HEADER);
    new DataView(body.buffer).setInt32(0, -errno, true);
    this.#send(MessageType.ERROR, 0, sequence, body);
  }

  #send(type: number, flags: number, sequence: number, payload: Uint8Array, port = 4711): void {
    if (sequence !== 0 && this.losing > 0) {
      this.losing--;
      return;
    }
    const draft = new Draft(type, flags, payload.length);
    draft.raw(0, payload);
    const bytes = draft.finish().slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(8, sequence, true);
    view.setUint32(12, port, true);
    this.#events?.message(bytes);
  }
}

const keyOf = ({ id, route }: SaState): string => `${saKey(id)} ${route.mark}`;
