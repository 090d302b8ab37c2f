/**
 * The signals of isakmpd(8). bin/isakmpd imports this module before anything else: until SIGUSR1 has a handler, Node answers it by opening
 * its debugger on port 9229. Signals that arrive during start-up wait until handleSignals is called. SIGPIPE needs nothing here: Node
 * ignores it.
 */
export interface SignalActions {
  /** Whether SIGINT is a clean shutdown; else it keeps its default. */
  readonly interrupt: boolean;
  /** SIGTERM, and SIGINT where it counts. */
  readonly shutdown: () => void;
  /** SIGHUP */
  readonly reinitialize: () => void;
  /** SIGUSR1 */
  readonly report: () => void;
  /** Writes an ordinary log line. */
  readonly say: (text: 'SIGHUP received' | 'SIGUSR1 received') => void;
}

/** From now on signals have their meaning; those that came before are delivered at once. */
export const handleSignals = (actions: SignalActions): void => {
  receive = (signal) => act(signal, actions);
  if (actions.interrupt) process.on('SIGINT', receive);
  for (const signal of waiting.splice(0)) receive(signal);
};

const act = (signal: NodeJS.Signals, { shutdown, reinitialize, report, say }: SignalActions): void => {
  if (signal === 'SIGHUP') {
    say('SIGHUP received');
    reinitialize();
  } else if (signal === 'SIGUSR1') {
    say('SIGUSR1 received');
    report();
  } else shutdown();
};

const waiting: NodeJS.Signals[] = [];
let receive: (signal: NodeJS.Signals) => void = (signal) => waiting.push(signal);

for (const signal of ['SIGUSR1', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, (name) => receive(name));
