/** Encryption and integrity of ESP packets, one object per SA and direction: what the transforms have in common. What is around the encrypted part is in packet.ts. */

/** Works in place, on a packet that begins with its SPI at `start`. Offsets are into `bytes`. */
export interface Sealer {
  /** The text to be protected ends at `end`, after it there is room for the ICV. Writes the IV, encrypts, appends the ICV; answers the packet's end. */
  seal(bytes: Uint8Array, start: number, end: number): number;
}
export interface Opener {
  /** Checks the ICV in constant time before anything else, then decrypts. Answers the end of the text, or -1: the packet is not authentic. */
  open(bytes: Uint8Array, start: number, end: number): number;
}

/** Fills `bytes[from..to)` with random bytes. */
export type FillRandom = (bytes: Uint8Array, from: number, to: number) => void;
