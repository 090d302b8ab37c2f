/** Sockets to the kernel, as the backends see them. native/kernel-sockets.ts has the real ones. */
import type { SystemError } from '../shared/errors.ts';

/** A socket to the kernel that carries whole messages, as PF_KEY and netlink do. */
export interface KernelSocket {
  /** Throws SystemError (its text has the errno's name) when the kernel does not take it. */
  send(message: Uint8Array): void;
  close(): void;
}

export interface KernelSocketEvents {
  /** One whole message (PF_KEY) or datagram (netlink: may hold several messages); the bytes are the listener's. */
  message(bytes: Uint8Array): void;
  /** The kernel has dropped messages for us (ENOBUFS): state must be read anew. */
  overrun(): void;
  failed(error: SystemError): void;
}

export type OpenKernelSocket = (events: KernelSocketEvents) => KernelSocket;
