/** A refusal tells the operator what to do, and that helps: daemons as processes, cured by the line that their log has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Daemon, until } from '../../loadtest/daemon.ts';
import { startPair } from '../helpers/daemon-process.ts';

/** Waits for a line of the daemon and answers what the expression's groups have in it. */
const groupsOf = async (daemon: Daemon, expression: RegExp): Promise<readonly string[]> =>
  until(`a line like ${expression}`, () => {
    const found = daemon.log.map((line) => expression.exec(line)).find((match) => match !== null);
    return found?.slice(1);
  });

const CURE = /refused: peer peer \(connection tunnel, .*; add (\S+) to \[(\S+)\]:(\S+) to accept it/;

test('a phase 1 and then a quick mode that do not fit come up once what the log says was added', async (t) => {
  const [left, right] = await startPair(t);
  right.command('C set [main-mode]:Transforms=AES-256-SHA2-512-GRP14 force');
  right.command('C set [quick-mode]:Suites=QM-ESP-AES-256-SHA2-512-PFS-GRP14-SUITE force');
  await right.caughtUp();
  left.command('c tunnel');
  const [transform, ...phase1] = await groupsOf(right, CURE);
  assert.deepEqual([transform, ...phase1], ['AES-128-SHA2-256-GRP19', 'main-mode', 'Transforms']);
  await left.saw('it answers NO_PROPOSAL_CHOSEN, unauthenticated: we offer AES_CBC-128/SHA2_256/PRE_SHARED/ECP_256');
  right.command(`C add [main-mode]:Transforms=${transform}`);
  await right.caughtUp();
  // The attempt that runs is given up; the next one meets the new configuration.
  for (const line of ['t tunnel', 't main peer', 'c tunnel']) left.command(line);
  const [suite, ...phase2] = await groupsOf(right, new RegExp(`quick mode ${CURE.source}`));
  assert.deepEqual([suite, ...phase2], ['QM-ESP-AES-128-SHA2-256-SUITE', 'quick-mode', 'Suites']);
  await left.saw('the peer answered NO_PROPOSAL_CHOSEN: we offer ESP AES-128/HMAC_SHA2_256/no PFS/TUNNEL');
  right.command(`C add [quick-mode]:Suites=${suite}`);
  await right.caughtUp();
  left.command('c tunnel');
  for (const daemon of [left, right]) await daemon.saw('isakmpd: quick mode done');
});

test('selectors that differ come up once the section has what the log says', async (t) => {
  const [left, right] = await startPair(t);
  right.command('C set [net-left]:Network=10.11.99.0 force');
  assert.equal(await right.ask('C get [net-left]:Network'), '10.11.99.0\n');
  left.command('c tunnel');
  const near =
    /nearest of ours is tunnel, .*; let the section of \[tunnel\]:Remote-ID have .*, Network=(\S+), .* to accept it/;
  const [network] = await groupsOf(right, near);
  assert.equal(network, '10.11.1.0');
  right.command(`C set [net-left]:Network=${network} force`);
  assert.equal(await right.ask('C get [net-left]:Network'), `${network}\n`);
  left.command('c tunnel');
  for (const daemon of [left, right]) await daemon.saw('isakmpd: quick mode done');
});

test('a section with an error and an address without section are told apart', async (t) => {
  const [left, right] = await startPair(t);
  right.command('C set [peer]:Port=elsewhere force');
  assert.equal(await right.ask('C get [peer]:Port'), 'elsewhere\n');
  left.command('c tunnel');
  await right.saw('phase 1 refused: peer peer (127.0.0.1 port ');
  await right.saw('): its section cannot be used as it is written; see isakmpd --check');
  right.command('C rm [Phase 1]:127.0.0.1');
  assert.equal(await right.ask('C get [Phase 1]:127.0.0.1'), '');
  for (const line of ['t tunnel', 't main peer', 'c tunnel']) left.command(line);
  await right.saw(
    '[Phase 1] has neither its address nor a Default; add 127.0.0.1=<peer section> to [Phase 1] to accept it',
  );
});
