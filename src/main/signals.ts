/**
 * The signals of isakmpd(8). bin/isakmpd imports this module before anything else: until SIGUSR1 has a handler, Node answers it by opening
 * its debugger on port 9229. Signals that arrive during start-up wait until handleSignals is called. SIGPIPE needs nothing here: Node
 * ignores it.
 */
import type { Texts } from '../shared/log/events.ts';
import type { LogRecord } from '../shared/threads/contract.ts';

export interface SignalActions {
  /** Exactly one -d: SIGINT is a clean shutdown, else it keeps its default. */
  readonly interrupt: boolean;
  readonly shutdown: () => void;
  readonly log: (record: LogRecord) => void;
}

/** From now on signals have their meaning; those that came before are delivered at once. */
export const handleSignals = (actions: SignalActions): void => {
  receive = (signal) => act(signal, actions);
  if (actions.interrupt) process.on('SIGINT', receive);
  for (const signal of waiting.splice(0)) receive(signal);
};

const act = (signal: NodeJS.Signals, actions: SignalActions): void => {
  if (signal === 'SIGHUP') actions.log(refused('SIGHUP received: re-reading the configuration is not there yet'));
  else if (signal === 'SIGUSR1') actions.log(refused('SIGUSR1 received: the report file is not there yet'));
  else actions.shutdown();
};

/** Written out, lest the handlers wait for more modules to load. */
const refused = (text: Texts['signal-refused']): LogRecord => ({
  severity: 'notice',
  logClass: 0,
  level: 0,
  text,
  event: 'signal-refused',
  fields: {},
});

const waiting: NodeJS.Signals[] = [];
let receive: (signal: NodeJS.Signals) => void = (signal) => waiting.push(signal);

for (const signal of ['SIGUSR1', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, (name) => receive(name));
