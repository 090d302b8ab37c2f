/** Lets Comlink speak over a MessagePort of node:worker_threads: its own adapter is a module whose types lie elsewhere than its code. */
import type { Endpoint } from 'comlink';

/** What of a MessagePort is used here. */
interface Port {
  postMessage(value: unknown): void;
  on(event: 'message', listener: (value: unknown) => void): unknown;
  off(event: 'message', listener: (value: unknown) => void): unknown;
}

/** An endpoint for Comlink's `expose` or `wrap`. Nothing is transferred over it, and a port with a listener needs no `start`. */
export const controlEndpoint = (port: Port): Endpoint => {
  const listeners = new Map<unknown, (value: unknown) => void>();
  return {
    postMessage: (value) => port.postMessage(value),
    addEventListener: (_type, listener) => {
      const take = (data: unknown): void => call(listener, { data });
      listeners.set(listener, take);
      port.on('message', take);
    },
    removeEventListener: (_type, listener) => {
      const take = listeners.get(listener);
      if (take !== undefined) port.off('message', take);
      listeners.delete(listener);
    },
  };
};

/** Comlink listens with functions only, but the type of DOM listeners allows objects. */
const call = (listener: unknown, event: { readonly data: unknown }): void => {
  if (typeof listener === 'function') Reflect.apply(listener, undefined, [event]);
};
