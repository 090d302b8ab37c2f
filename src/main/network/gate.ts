/** Active or passive, for datagrams: a passive daemon sends nothing to peers and looks at nothing that they send (isakmpd(8), FIFO command `M`). */

export class Gate {
  #isOpen = true;
  #received = 0;
  #sent = 0;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Datagrams that it has kept in and out so far. */
  get dropped(): { readonly received: number; readonly sent: number } {
    return { received: this.#received, sent: this.#sent };
  }

  set(mode: 'active' | 'passive'): void {
    this.#isOpen = mode === 'active';
  }

  /** Whether a datagram that came may be looked at. */
  admits(): boolean {
    if (!this.#isOpen) this.#received++;
    return this.#isOpen;
  }

  /** Whether a datagram may be sent. */
  releases(): boolean {
    if (!this.#isOpen) this.#sent++;
    return this.#isOpen;
  }
}
