/** Resolved peers and settings, kept until a piece of configuration changes that they were made from. */
import { ConfigError } from '../errors.ts';
import { fold } from './case-fold.ts';
import { listedPiece } from './dependencies.ts';
import type { KernelFit } from './kernel-fit.ts';
import { SharedAnswers } from './resolution.ts';
import { type ResolvedGeneral, resolveGeneral } from './resolve-general.ts';
import { attemptPeer, needsLegacyProvider, type RefusedPeer, type ResolvedPeer } from './resolve-peer.ts';
import { ConfigurationStore } from './store.ts';

/** An edit costs as much as there are answers that hang on it; an answer is made when it is next asked for. */
export class ResolvedConfiguration {
  readonly #store: ConfigurationStore;
  readonly #peers = new Map<string, ResolvedPeer | RefusedPeer>();
  /** Piece of configuration -> folded names of the peers that hang on it; of most pieces there is one. */
  readonly #dependents = new Map<string, string | Set<string>>();
  /** Connections that FIFO `c` named, folded. */
  readonly #connected = new Set<string>();
  readonly #changedPeers = new Set<string>();
  #isGeneralChanged = false;
  readonly #shared = new SharedAnswers();
  #general: ResolvedGeneral | undefined;
  #refusesLegacyCiphers = false;
  #kernel: KernelFit | undefined;
  /** What counts where [General] has a value that cannot be: the one before. */
  #lastGeneral = resolveGeneral(new ConfigurationStore());

  constructor(store: ConfigurationStore) {
    this.#store = store;
    store.subscribe((piece) => this.#pieceChanged(piece));
  }

  /** The policy of a peer section, or why there is none. Kept, refusals too: a flood from an unknown peer costs one resolution. */
  peer(name: string): ResolvedPeer | RefusedPeer {
    const key = fold(name);
    const kept = this.#peers.get(key);
    if (kept !== undefined) return kept;
    const resolved = this.#withoutLegacy(attemptPeer(this.#store, name, this.#connected, this.#shared, this.#kernel));
    this.#peers.set(key, resolved);
    for (const piece of resolved.pieces) {
      const dependents = this.#dependents.get(piece);
      if (dependents === undefined) this.#dependents.set(piece, key);
      else if (typeof dependents !== 'string') dependents.add(key);
      else if (dependents !== key) this.#dependents.set(piece, new Set([dependents, key]));
    }
    return resolved;
  }

  /** Peers that are resolved from now on and need ciphers of OpenSSL's legacy provider are refused. */
  refuseLegacyCiphers(): void {
    this.#refusesLegacyCiphers = true;
  }

  /** From now on only what this kernel can do is used: peers are resolved anew. */
  limitTo(kernel: KernelFit): void {
    this.#kernel = kernel;
    this.#shared.clear();
    this.#general = undefined;
    this.#isGeneralChanged = true;
    for (const key of [...this.#peers.keys()]) {
      this.#forget(key);
      this.#changedPeers.add(key);
    }
  }

  /** [General] and the secrets by identity. In place of a value that cannot be, the last one that could counts. */
  general(): ResolvedGeneral {
    this.#general ??= resolveGeneral(this.#store, this.#lastGeneral, this.#kernel);
    this.#lastGeneral = this.#general;
    return this.#general;
  }

  /** Whether an edit since the last call has dropped the kept [General]. */
  takeGeneralChanged(): boolean {
    const isChanged = this.#isGeneralChanged;
    this.#isGeneralChanged = false;
    return isChanged;
  }

  /** A connection that counts as listed although [Phase 2] does not list it: FIFO `c name`. */
  connect(connection: string): void {
    this.#connected.add(fold(connection));
    this.#pieceChanged(listedPiece(fold(connection)));
  }

  /** Takes that back: FIFO `t name`. */
  disconnect(connection: string): void {
    if (this.#connected.delete(fold(connection))) this.#pieceChanged(listedPiece(fold(connection)));
  }

  /** [Phase 2] lists the connection, or FIFO `c` has named it. */
  isUsed(connection: string): boolean {
    return this.#store.isListed(connection) || this.#connected.has(fold(connection));
  }

  /** Peers whose kept policy was dropped by an edit since the last call: whoever holds a copy of theirs needs a new one. */
  takeChangedPeers(): readonly string[] {
    const changed = Array.from(this.#changedPeers, (key) => this.#store.nameOf(key));
    this.#changedPeers.clear();
    return changed;
  }

  #withoutLegacy(resolved: ResolvedPeer | RefusedPeer): ResolvedPeer | RefusedPeer {
    if ('error' in resolved || !this.#refusesLegacyCiphers || !needsLegacyProvider(resolved.policy)) return resolved;
    const { name } = resolved.policy;
    const error = new ConfigError(
      `[${name}] names Blowfish or CAST, which a running daemon cannot load: restart isakmpd, or take another cipher`,
    );
    return { error, findings: resolved.findings, pieces: resolved.pieces };
  }

  #pieceChanged(piece: string): void {
    this.#shared.clear();
    if (this.#general?.pieces.has(piece)) {
      this.#general = undefined;
      this.#isGeneralChanged = true;
    }
    const dependents = this.#dependents.get(piece) ?? [];
    for (const key of typeof dependents === 'string' ? [dependents] : dependents) {
      this.#forget(key);
      this.#changedPeers.add(key);
    }
  }

  #forget(key: string): void {
    const resolved = this.#peers.get(key);
    this.#peers.delete(key);
    for (const piece of resolved?.pieces ?? []) {
      const dependents = this.#dependents.get(piece);
      if (typeof dependents === 'object') dependents.delete(key);
      if (dependents === key || (typeof dependents === 'object' && dependents.size === 0)) {
        this.#dependents.delete(piece);
      }
    }
  }
}
