/** Network namespaces with userland endpoints in them, for root on Linux. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InvariantError } from '../../src/shared/errors.ts';
import type { EndpointCommand, EndpointMessage } from './endpoint.ts';

/** Why there can be none here; false: there can. */
export const namespacesFault = (): string | false => {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun';
  const name = `esp-probe-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'needs network namespaces';
  spawnSync('ip', ['netns', 'del', name]);
  return false;
};

/** ip(8) and others, run in a namespace. */
export class Namespace {
  readonly name: string;

  constructor(name: string) {
    this.name = `${name}-${process.pid}`;
    execFileSync('ip', ['netns', 'add', this.name]);
    this.run('ip link set lo up');
  }

  /** Output of a command that has to succeed. */
  run(line: string): string {
    return this.runWords(line.split(' '));
  }

  runWords(words: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name, ...words], { encoding: 'utf8', stdio: 'pipe' });
  }

  /** A command that runs until it is stopped. */
  start(line: string): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.name, ...line.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  delete(): void {
    spawnSync('ip', ['netns', 'del', this.name]);
  }
}

/** A veth pair between two namespaces, addresses with prefix lengths. */
export const join = (a: Namespace, b: Namespace, addresses: readonly (readonly [string, string])[]): void => {
  a.run(`ip link add out0 type veth peer name out0 netns ${b.name}`);
  for (const [here, there] of addresses) {
    const option = here.includes(':') ? ' nodad' : '';
    a.run(`ip addr add ${here} dev out0${option}`);
    b.run(`ip addr add ${there} dev out0${option}`);
  }
  for (const one of [a, b]) one.run('ip link set out0 up');
};

/** A process with a userland backend in a namespace. */
export class EspEndpoint {
  readonly #child: ChildProcess;
  readonly #calls = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (why: Error) => void }
  >();
  readonly #events: { readonly name: string; readonly value: unknown }[] = [];
  #wake: (() => void) | undefined;
  #last = 0;

  constructor(namespace: Namespace, nodeArguments: readonly string[] = []) {
    this.#child = spawn('ip', ['netns', 'exec', namespace.name, process.execPath, ...nodeArguments, PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    this.#child.on('message', (message: EndpointMessage) => this.#take(message));
    this.#child.on('exit', () => {
      for (const { reject } of this.#calls.values()) reject(new InvariantError('the endpoint is gone'));
    });
  }

  call(command: EndpointCommand): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = ++this.#last;
      this.#calls.set(call, { resolve, reject });
      this.#child.send({ call, command });
    });
  }

  /** The next event of this name, out of order with others. */
  async event(name: string): Promise<unknown> {
    for (;;) {
      const index = this.#events.findIndex((event) => event.name === name);
      if (index >= 0) return this.#events.splice(index, 1)[0]?.value;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Events of this name that nobody has asked for yet. */
  count(name: string): number {
    return this.#events.filter((event) => event.name === name).length;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  #take(message: EndpointMessage): void {
    if ('event' in message) {
      this.#events.push({ name: message.event, value: message.value });
      this.#wake?.();
      return;
    }
    const waiting = this.#calls.get(message.call);
    this.#calls.delete(message.call);
    if ('text' in message) waiting?.reject(new InvariantError(`${message.reason}: ${message.text}`));
    else waiting?.resolve(message.value);
  }
}

const PROGRAM = fileURLToPath(new URL('./endpoint.js', import.meta.url));
