/** Answers of the status socket, in pieces. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonConfiguration } from '../../../src/main/configuration.ts';
import { answerPieces, type Question, type StatusParts } from '../../../src/main/status/status-answers.ts';
import { SystemError } from '../../../src/shared/errors.ts';
import { type StatusAnswer, statusAnswer } from '../../../src/shared/report/status-schema.ts';
import { createSaTable, SaTable } from '../../../src/shared/sa-table/sa-table.ts';
import { ConnectionBench } from '../../helpers/connection-bench.ts';
import { sampleRow } from '../../shared/sa-table/sample-row.ts';

const STATISTICS = {
  lane: 1,
  threadId: 7,
  isakmpSas: 1,
  halfOpen: 2,
  phase2Exchanges: 3,
  queuedFast: 0,
  queuedSlow: 0,
  shed: 0,
  diffieHellman: 4,
};

const partsOf = (rows: number, configurationText = ''): StatusParts => {
  const configuration = new DaemonConfiguration(() => undefined);
  configuration.load(configurationText, 'isakmpd.conf');
  const table = new SaTable(createSaTable({ writers: 1, maxRows: rows + 1 }), 0);
  for (let i = 0; i < rows; i++) table.allocate({ ...sampleRow(0), name: `net-${i}` });
  const { core } = new ConnectionBench();
  return {
    configuration,
    table,
    traffic: { refresh: async () => undefined, read: () => undefined },
    lanes: {
      count: 2,
      statistics: (lane) =>
        lane === 0
          ? Promise.reject(new SystemError('lane 0 did not answer (statistics) within 2000 ms'))
          : Promise.resolve(STATISTICS),
    },
    supervisor: {
      statusOf: (name) => core.statusOf(name),
      activeStatus: () => core.activeStatus(),
      counts: { ...core.counts, rows: 0, kernelCalls: 0 },
    },
    gate: { isOpen: false, dropped: { received: 7, sent: 2 } },
    credentials: {
      items: [
        { kind: 'authority', file: 'ca/x.pem', name: '/CN=x', from: Date.UTC(2020, 0), until: Date.UTC(2021, 0) },
        { kind: 'crl', file: 'crls/x.pem', name: '/CN=x', from: Date.UTC(2020, 0), until: undefined },
      ],
    },
    pid: 42,
    startedAt: '2026-01-02T03:04:05.000Z',
    wallTime: (at) => new Date(at).toISOString(),
  };
};

const piecesOf = async (parts: StatusParts, question: Question): Promise<readonly string[]> => {
  const pieces: string[] = [];
  for await (const piece of answerPieces(parts, question)) pieces.push(piece);
  return pieces;
};

const answerOf = async (parts: StatusParts, question: Question): Promise<StatusAnswer> => {
  const text = (await piecesOf(parts, question)).join('');
  assert.match(text, /^[^\n]*\n$/);
  return statusAnswer.parse(JSON.parse(text));
};

test('thousands of SAs are one line in many pieces', async () => {
  const parts = partsOf(2000);
  const pieces = await piecesOf(parts, { request: 'sas' });
  assert.ok(pieces.length >= 10);
  assert.ok(Math.max(...pieces.map(({ length }) => length)) < 400_000);
  const answer = await answerOf(parts, { request: 'sas' });
  assert.ok(answer.answer === 'sas' && answer.sas.length === 2000);
});

test('a name picks out what has it, in upper or lower case; an empty list is an answer too', async () => {
  const parts = partsOf(300);
  const one = await answerOf(parts, { request: 'sas', name: 'NET-250' });
  assert.ok(one.answer === 'sas');
  assert.deepEqual(
    one.sas.map(({ name }) => name),
    ['net-250'],
  );
  assert.deepEqual(await answerOf(parts, { request: 'sas', name: 'nobody' }), { answer: 'sas', sas: [] });
});

test('certificates are told with their days', async () => {
  const answer = await answerOf(partsOf(0), { request: 'certificates' });
  assert.ok(answer.answer === 'certificates');
  assert.deepEqual(answer.certificates, [
    {
      kind: 'authority',
      file: 'ca/x.pem',
      name: '/CN=x',
      validFrom: '2020-01-01T00:00:00.000Z',
      validUntil: '2021-01-01T00:00:00.000Z',
      state: 'expired',
    },
    {
      kind: 'crl',
      file: 'crls/x.pem',
      name: '/CN=x',
      validFrom: '2020-01-01T00:00:00.000Z',
      validUntil: null,
      state: 'valid',
    },
  ]);
});

test('a lane that does not answer is told with the reason, beside those that do', async () => {
  const answer = await answerOf(partsOf(0), { request: 'lanes' });
  assert.ok(answer.answer === 'lanes');
  const [silent, other] = answer.lanes;
  assert.deepEqual([silent?.fault, silent?.halfOpen], ['lane 0 did not answer (statistics) within 2000 ms', null]);
  assert.deepEqual([other?.lane, other?.fault, other?.halfOpen], [1, null, 2]);
});

test('every configured connection is counted and listed, up or not', async () => {
  const parts = partsOf(0, '[Phase 2]\nConnections=a\nPassive-connections=a,b\n[a]\nISAKMP-peer=p\n');
  const status = await answerOf(parts, { request: 'status' });
  assert.ok(status.answer === 'status');
  assert.deepEqual(
    [status.pid, status.mode, status.connections],
    [42, 'passive', { configured: 2, up: 0, connecting: 0, down: 0, passive: 2 }],
  );
  assert.deepEqual(status.droppedWhilePassive, { received: 7, sent: 2 });
  const listed = await answerOf(parts, { request: 'connections' });
  assert.ok(listed.answer === 'connections');
  assert.deepEqual(
    listed.connections.map(({ name, peer }) => [name, peer]),
    [
      ['a', 'p'],
      ['b', null],
    ],
  );
});

test('a peer section that cannot be used is told as such', async () => {
  const parts = partsOf(0, '[Phase 1]\n10.0.0.1=p\n[p]\nPhase=1\nAddress=10.0.0.1\nConfiguration=gone\n');
  assert.deepEqual(await answerOf(parts, { request: 'peers' }), {
    answer: 'peers',
    peers: [{ name: 'p', usable: false, address: null, connections: [] }],
  });
});
