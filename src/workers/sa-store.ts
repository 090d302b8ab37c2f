/** What outlives this lane's thread: the public row of each ISAKMP SA and, once established, its keys in the lane's slab. */
import { parseAddress } from '../shared/address.ts';
import { cipherSpec } from '../shared/crypto/cipher.ts';
import type { IsakmpKeys } from '../shared/exchange/effects.ts';
import type { Phase1Choice } from '../shared/policy/phase1-proposal.ts';
import type { SaHandle } from '../shared/sa-table/handles.ts';
import type { KeySlab } from '../shared/sa-table/key-slab.ts';
import { SaFlag, SaRole, type SaRow } from '../shared/sa-table/rows.ts';
import type { SaTable } from '../shared/sa-table/sa-table.ts';
import type { NatTraversal, Path } from '../shared/threads/contract.ts';
import type { EstablishedBasis, IsakmpSa } from './isakmp-sa.ts';

/** An established SA as a predecessor left it. */
export interface StoredSa {
  readonly handle: SaHandle;
  readonly row: SaRow;
  readonly keys: IsakmpKeys;
  readonly lastIv: Uint8Array;
}

export class SaStore {
  readonly #table: SaTable;
  readonly #slab: KeySlab;

  constructor(table: SaTable, slab: KeySlab) {
    this.#table = table;
    this.#slab = slab;
  }

  /** A row for a negotiation that has begun. False: the table cannot grow, and there must be no new SA. */
  addHalfOpen(sa: IsakmpSa): boolean {
    sa.row = this.#table.allocate(halfOpenRow(sa));
    return sa.row !== undefined;
  }

  /** Cookies or addresses have changed. */
  update(sa: IsakmpSa): void {
    if (sa.row !== undefined && sa.established === undefined) this.#table.update(sa.row, halfOpenRow(sa));
  }

  /** From here on the SA survives this thread. False: there is no room for its keys. */
  establish(sa: IsakmpSa, choice: Phase1Choice, establishedAt: number): boolean {
    const { row: owner, established } = sa;
    if (owner === undefined || established === undefined) return false;
    const { keys, lastIv } = established;
    const { hash, skeyidD, skeyidA, encryptionKey } = keys;
    const slabSlot = this.#slab.allocate({
      owner,
      hash,
      cipher: choice.encryption,
      keyLength: choice.keyLength ?? 0,
      skeyidD,
      skeyidA,
      encryptionKey,
      lastIv,
    });
    if (slabSlot === undefined) return false;
    sa.slabSlot = slabSlot;
    return this.#table.update(owner, establishedRow(sa, choice, establishedAt));
  }

  /** The peer of an established SA is somewhere else. */
  moved({ row: handle, path }: IsakmpSa): void {
    const row = handle === undefined ? undefined : this.#table.read(handle);
    if (handle !== undefined && row !== undefined) this.#table.update(handle, { ...row, ...addressesOf(path) });
  }

  /** The soft lifetime is over: there is no such timer any more. */
  softExpired(sa: IsakmpSa): void {
    this.#change(sa, (row) => ({ ...row, softAt: 0 }));
  }

  /** Whether a newer SA is used in its place. */
  setReplaced(sa: IsakmpSa, isReplaced: boolean): void {
    this.#change(sa, (row) => ({
      ...row,
      flags: isReplaced ? row.flags | SaFlag.REPLACED : row.flags & ~SaFlag.REPLACED,
    }));
  }

  #change({ row: handle }: IsakmpSa, change: (row: SaRow) => SaRow): void {
    const row = handle === undefined ? undefined : this.#table.read(handle);
    if (handle !== undefined && row !== undefined) this.#table.update(handle, change(row));
  }

  remove(sa: IsakmpSa): void {
    if (sa.slabSlot >= 0) this.#slab.free(sa.slabSlot);
    if (sa.row !== undefined) this.#table.free(sa.row);
    sa.slabSlot = -1;
    sa.row = undefined;
  }

  /** An SA that was read back but is not wanted. */
  discard({ handle, row }: StoredSa): void {
    this.#slab.free(row.slabSlot);
    this.#table.free(handle);
  }

  /** What a predecessor of this lane established. Half-open rows and keys without row or row without keys are cleared away. */
  takeOver(): readonly StoredSa[] {
    const stored: StoredSa[] = [];
    const usedSlots = new Set<number>();
    for (const { handle, row } of [...this.#table.own()]) {
      const sa = this.#restore(handle, row);
      if (sa === undefined) this.#table.free(handle);
      else {
        stored.push(sa);
        usedSlots.add(row.slabSlot);
      }
    }
    for (const slot of [...this.#slab.liveSlots()]) if (!usedSlots.has(slot)) this.#slab.free(slot);
    return stored;
  }

  #restore(handle: SaHandle, row: SaRow): StoredSa | undefined {
    if ((row.flags & SaFlag.READY) === 0 || row.slabSlot < 0) return undefined;
    const record = this.#slab.read(row.slabSlot);
    if (record?.owner.slot !== handle.slot || record.owner.generation !== handle.generation) return undefined;
    const cipher = cipherSpec(record.cipher, record.keyLength === 0 ? undefined : record.keyLength);
    if (cipher === undefined) return undefined;
    const { hash, skeyidD, skeyidA, encryptionKey, lastIv } = record;
    return { handle, row, keys: { hash, cipher, skeyidD, skeyidA, encryptionKey }, lastIv };
  }
}

/** What is public of an SA from its first message on; the zeros are for what is not yet known. */
const halfOpenRow = (sa: IsakmpSa): SaRow => ({
  ...publicRow(sa),
  ...lifetimesOf(sa.conversation?.exchange.choice()),
});

const publicRow = (sa: IsakmpSa): SaRow => ({
  phase: 1,
  state: 0,
  flags: 0,
  role: sa.role === 'initiator' ? SaRole.INITIATOR : SaRole.RESPONDER,
  exchangeType: sa.policy.exchangeType,
  initiatorCookie: sa.initiatorCookie,
  responderCookie: sa.responderCookie,
  messageId: 0,
  ...addressesOf(sa.path),
  name: '',
  peerName: sa.policy.name,
  localIdentity: '',
  remoteIdentity: '',
  localSelector: '',
  remoteSelector: '',
  establishedAt: 0,
  softAt: 0,
  hardAt: 0,
  lifeSeconds: 0,
  lifeKilobytes: 0,
  encryption: 0,
  keyLength: 0,
  hash: 0,
  group: 0,
  authenticationMethod: 0,
  protocols: [],
  slabSlot: -1,
});

const establishedRow = (sa: IsakmpSa, choice: Phase1Choice, establishedAt: number): SaRow => ({
  ...publicRow(sa),
  state: stateOf(sa),
  flags: flagsOf(sa),
  name: sa.policy.name,
  localIdentity: sa.established?.localIdentity ?? '',
  remoteIdentity: sa.established?.remoteIdentity ?? '',
  establishedAt,
  softAt: sa.established?.softAt ?? 0,
  hardAt: sa.established?.hardAt ?? 0,
  ...lifetimesOf(choice),
  encryption: choice.encryption,
  keyLength: choice.keyLength ?? 0,
  hash: choice.hash,
  group: choice.group,
  authenticationMethod: choice.authentication,
  slabSlot: sa.slabSlot,
});

/** The original marks what it has begun itself: it is renewed. */
const flagsOf = ({ role, established }: IsakmpSa): number =>
  SaFlag.READY |
  (role === 'initiator' ? SaFlag.STAYALIVE : 0) |
  (established?.nat === undefined ? 0 : SaFlag.NAT_T_ENABLE) |
  (established?.nat?.isLocalBehind === true ? SaFlag.NAT_T_KEEPALIVE : 0);

const lifetimesOf = (choice: Phase1Choice | undefined): Pick<SaRow, 'lifeSeconds' | 'lifeKilobytes'> => ({
  lifeSeconds: choice?.lifetimes.seconds ?? 0,
  lifeKilobytes: choice?.lifetimes.kilobytes ?? 0,
});

/** What the bits in `state` of a phase 1 row mean. */
const State = {
  ENCAPSULATED: 1,
  NAT: 2,
  LOCAL_BEHIND: 4,
  REMOTE_BEHIND: 8,
  DRAFT: 16,
  PROBES: 32,
  FRAGMENTS: 64,
} as const;

const stateOf = ({ path, takesFragments, established }: IsakmpSa): number => {
  const nat = established?.nat;
  const bits = [
    path.encapsulated ? State.ENCAPSULATED : 0,
    takesFragments ? State.FRAGMENTS : 0,
    established?.answersProbes === true ? State.PROBES : 0,
    nat === undefined ? 0 : State.NAT,
    nat?.isLocalBehind === true ? State.LOCAL_BEHIND : 0,
    nat?.isRemoteBehind === true ? State.REMOTE_BEHIND : 0,
    nat?.dialect === 'draft' ? State.DRAFT : 0,
  ];
  return bits.reduce((sum, bit) => sum | bit);
};

/** The same read back. */
export const peerStateOf = ({
  state,
}: Pick<SaRow, 'state'>): Pick<Path, 'encapsulated'> &
  Pick<IsakmpSa, 'takesFragments'> &
  Pick<EstablishedBasis, 'nat' | 'answersProbes'> => {
  const has = (bit: number): boolean => (state & bit) !== 0;
  const nat: NatTraversal = {
    isLocalBehind: has(State.LOCAL_BEHIND),
    isRemoteBehind: has(State.REMOTE_BEHIND),
    dialect: has(State.DRAFT) ? 'draft' : 'rfc',
  };
  return {
    encapsulated: has(State.ENCAPSULATED),
    takesFragments: has(State.FRAGMENTS),
    nat: has(State.NAT) ? nat : undefined,
    answersProbes: has(State.PROBES),
  };
};

type Transport = Pick<SaRow, 'family' | 'localAddress' | 'remoteAddress' | 'localPort' | 'remotePort' | 'zone'>;

const addressesOf = ({ local, remote }: Path): Transport => {
  const ours = parseAddress(local.address);
  const theirs = parseAddress(remote.address);
  const none = new Uint8Array(0);
  return {
    family: theirs?.family ?? 0,
    localAddress: ours?.bytes ?? none,
    remoteAddress: theirs?.bytes ?? none,
    localPort: local.port,
    remotePort: remote.port,
    zone: theirs?.text.split('%')[1] ?? '',
  };
};
