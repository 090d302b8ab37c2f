/** The status socket of running daemons. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Daemon } from '../../../loadtest/daemon.ts';
import {
  type ConnectionItem,
  type SaStatus,
  type StatusAnswer,
  statusAnswer,
  statusEvent,
} from '../../../src/shared/report/status-schema.ts';
import { freePorts, spawnDaemon, startAlone, startPair, testFolder } from '../../helpers/daemon-process.ts';
import { type StatusLines, statusLines } from '../../helpers/status-lines.ts';

const socketOf = (daemon: Daemon): string => join(daemon.runDirectory, 'isakmpd.sock');
const clientOf = (t: TestContext, daemon: Daemon): StatusLines => statusLines(t, socketOf(daemon));

/** The answer to one request, checked against the schema. */
const ask = async <A extends StatusAnswer['answer']>(
  client: StatusLines,
  request: string,
  answer: A,
): Promise<Extract<StatusAnswer, { readonly answer: A }>> => {
  client.send(request);
  const parsed = statusAnswer.parse(await client.next());
  const isThat = (one: StatusAnswer): one is Extract<StatusAnswer, { readonly answer: A }> => one.answer === answer;
  assert.ok(isThat(parsed), JSON.stringify(parsed));
  return parsed;
};

const connectionOf = async (client: StatusLines, name: string): Promise<ConnectionItem> => {
  const { connections } = await ask(client, `{"request":"connections","name":"${name}"}`, 'connections');
  const [connection] = connections;
  assert.ok(connection !== undefined && connections.length === 1);
  return connection;
};

test('the socket has mode 0600 while the daemon runs, and goes with it', async (t) => {
  const { daemon } = await startAlone(t);
  assert.equal(lstatSync(socketOf(daemon)).mode & 0o777, 0o600);
  const client = clientOf(t, daemon);
  const status = await ask(client, '{"request":"status"}', 'status');
  assert.deepEqual([status.pid, status.mode, status.lanes, status.isakmpSas], [daemon.pid, 'active', 1, 0]);
  daemon.command('Q');
  assert.equal(await daemon.ended, 0);
  assert.equal(await client.next(), undefined);
  assert.ok(!existsSync(socketOf(daemon)));
});

test('a file in its place is one error line, and the daemon runs without', async (t) => {
  const folder = testFolder(t);
  const ports = await freePorts(['127.0.0.1']);
  const configuration = '[General]\nListen-on=127.0.0.1\n';
  const daemon = spawnDaemon(t, { name: 'taken', folder, configuration, ports });
  writeFileSync(socketOf(daemon), 'precious');
  await daemon.ready();
  // The pid file may be there before its line has come through the pipe.
  await daemon.saw('status socket: cannot open ');
  assert.equal(daemon.count('status socket: cannot open '), 1);
  assert.equal(await daemon.ask('C get [General]:Listen-on'), '127.0.0.1\n');
});

/** What `S` has to say of an SA. */
const listed = ({ phase, name, role, cookies, protocols, local, remote }: SaStatus): readonly string[] => {
  const title = phase === 2 ? 'Phase 2' : `Phase 1/${role === 'initiator' ? 'Initiator' : 'Responder'}`;
  return [
    `SA name: ${name} (${title})\nsrc: ${local?.address} dst: ${remote?.address}\n`,
    ...(phase === 1 ? [`icookie ${cookies.slice(0, 16)} rcookie ${cookies.slice(16)}\n`] : []),
    ...protocols.map(({ spiOut, spiIn }) => `SPI 0: ${spiOut} \nSPI 1: ${spiIn} \n`),
  ];
};

test('sas says what S says, for both phases and on both sides', async (t) => {
  const pair = await startPair(t);
  pair[0].command('c tunnel');
  await pair[0].saw('isakmpd: quick mode done');
  await pair[1].saw('isakmpd: quick mode done (as responder)');
  for (const daemon of pair) {
    const listing = await daemon.ask('S');
    const { sas } = await ask(clientOf(t, daemon), '{"request":"sas"}', 'sas');
    assert.deepEqual(sas.map(({ phase }) => phase).sort(), [1, 2]);
    for (const text of sas.flatMap(listed)) assert.ok(listing.includes(text), `${text} in ${listing}`);
  }
});

test('connections says what is up, since when and under which SPIs', async (t) => {
  const [left] = await startPair(t);
  const client = clientOf(t, left);
  const before = await connectionOf(client, 'tunnel');
  assert.deepEqual([before.state, before.mode, before.peer, before.sas], ['passive', 'passive', 'peer', []]);
  left.command('c tunnel');
  await left.saw('isakmpd: quick mode done');
  const after = await connectionOf(client, 'TUNNEL');
  const { sas } = await ask(client, '{"request":"sas","name":"tunnel"}', 'sas');
  assert.deepEqual([after.state, after.mode, after.lastFailure], ['up', 'active', null]);
  assert.ok(after.since >= before.since);
  assert.equal(after.sas[0]?.spiIn, sas[0]?.protocols[0]?.spiIn);
  const status = await ask(client, '{"request":"status"}', 'status');
  assert.deepEqual(status.connections, { configured: 1, up: 1, connecting: 0, down: 0, passive: 0 });
});

test('a connection that fails says why in words, when, and when it is tried again; a subscriber hears of it at once', async (t) => {
  const configuration = `Retransmits=0

[Phase 2]
Connections=dark

[dark-peer]
Phase=1
Address=127.0.0.9
Authentication=a secret of tests

[dark]
Phase=2
ISAKMP-peer=dark-peer
`;
  const { daemon } = await startAlone(t, configuration);
  const subscriber = clientOf(t, daemon);
  await ask(subscriber, '{"request":"subscribe","events":["phase1-failed"]}', 'subscribed');
  const client = clientOf(t, daemon);
  const event = statusEvent.parse(await subscriber.next());
  assert.ok(event.event === 'phase1-failed');
  assert.deepEqual([event.peer, event.connections, event.cause], ['dark-peer', ['dark'], 'timeout']);
  const { mode, state, lastFailure, nextAttemptAt } = await connectionOf(client, 'dark');
  assert.equal(mode, 'active');
  assert.ok(state === 'down' || state === 'connecting');
  assert.match(lastFailure?.reason ?? '', /no response from peer 127\.0\.0\.9:500/);
  if (state === 'down') assert.ok((nextAttemptAt ?? '') >= (lastFailure?.at ?? ''));
});

test('events of both phases are told from up to down', async (t) => {
  const [left, right] = await startPair(t);
  const client = clientOf(t, right);
  await ask(client, '{"request":"subscribe"}', 'subscribed');
  left.command('c tunnel');
  // A pair that goes before the answering side has it was never up.
  for (const daemon of [left, right]) await daemon.saw('isakmpd: quick mode done');
  left.command('T');
  const seen: string[] = [];
  while (!seen.includes('phase2-down')) seen.push(statusEvent.parse(await client.next()).event);
  assert.deepEqual(seen, ['phase1-up', 'phase2-up', 'phase2-down']);
});

test('threats "no keys in S/report": configuration, peers and lanes are told, and no secret', async (t) => {
  const [left] = await startPair(t);
  const client = clientOf(t, left);
  const { configuration } = await ask(client, '{"request":"configuration"}', 'configuration');
  const peer = configuration.find(({ section }) => section === 'peer');
  assert.equal(peer?.tags.find(({ tag }) => tag === 'Authentication')?.value, '***');
  assert.doesNotMatch(JSON.stringify(configuration), /a secret of tests/);
  const { peers } = await ask(client, '{"request":"peers"}', 'peers');
  assert.deepEqual(peers, [{ name: 'peer', usable: true, address: '127.0.0.2', connections: ['tunnel'] }]);
  const { lanes } = await ask(client, '{"request":"lanes"}', 'lanes');
  assert.deepEqual(
    lanes.map(({ lane, fault, shed }) => [lane, fault, shed]),
    [[0, null, 0]],
  );
});
