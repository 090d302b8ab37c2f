import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { commandStream, FifoReader } from '../../../src/main/fifo/fifo.ts';
import { createFifo } from '../../../src/main/privileged/fifo-file.ts';

/** A reader on a real FIFO. `until(n)` resolves when n lines have been carried out. */
const bench = (t: TestContext, onLine: (line: string) => void = () => undefined) => {
  const directory = mkdtempSync(join(tmpdir(), 'isakmpd-fifo-'));
  const path = join(directory, 'isakmpd.fifo');
  const lines: string[] = [];
  const logged: string[] = [];
  let wake: () => void = () => undefined;
  const stream = commandStream(createFifo(path));
  let ended = false;
  stream.on('end', () => {
    ended = true;
  });
  const reader = new FifoReader(stream, {
    perform: async (line) => {
      lines.push(line);
      onLine(line);
      wake();
    },
    refuse: (reason) => {
      logged.push(`refused: ${reason}`);
      wake();
    },
    log: (record) => {
      logged.push(record.text);
      wake();
    },
  });
  t.after(() => {
    reader.close();
    rmSync(directory, { recursive: true });
  });
  const until = async (count: number): Promise<void> => {
    while (lines.length + logged.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { path, lines, logged, until, reader, hasEnded: () => ended };
};

/** Runs a shell command as operators do; resolves when it has ended well. */
const shell = async (command: string): Promise<void> => {
  const [status] = await once(spawn('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit');
  assert.equal(status, 0, command);
};

test('fifo-clients isakctl-up: one echo after the other is read, the stream never ends', async (t) => {
  const { path, lines, until, hasEnded } = bench(t);
  for (let i = 0; i < 5; i++) await shell(`echo "c from-10.13.0.0/16-to-10.10.${i}.0/24" >>${path}`);
  await until(5);
  assert.deepEqual(
    lines,
    Array.from({ length: 5 }, (_, i) => `c from-10.13.0.0/16-to-10.10.${i}.0/24`),
  );
  assert.ok(!hasEnded());
});

test('threats "FIFO": lines of concurrent writers are not torn', async (t) => {
  const { path, lines, until } = bench(t);
  const writers = Array.from({ length: 8 }, (_, writer) =>
    shell(
      `for i in 1 2 3 4 5 6 7 8 9 10; do echo "C set [writer-${writer}]:tag-$i=${'v'.repeat(100)}" >>${path}; done`,
    ),
  );
  await Promise.all(writers);
  await until(80);
  assert.equal(lines.length, 80);
  for (const line of lines) assert.match(line, /^C set \[writer-[0-7]\]:tag-[0-9]+=v{100}$/);
  assert.equal(new Set(lines).size, 80);
});

test('fifo-clients ipsecctl-load: a burst of 4,000 lines is carried out in order while timers and sockets get their turn', async (t) => {
  const { path, lines, until } = bench(t);
  const seen = [0];
  const look = (): void => {
    seen.push(lines.length);
    if (lines.length < 4000) setImmediate(look);
  };
  setImmediate(look);
  await Promise.all([shell(`seq 0 3999 | sed 's/.*/C set [peer-&]:Phase=1 force/' >${path}`), until(4000)]);
  assert.deepEqual(
    lines,
    Array.from({ length: 4000 }, (_, i) => `C set [peer-${i}]:Phase=1 force`),
  );
  const longest = Math.max(...seen.map((count, i) => count - (seen[i - 1] ?? 0)));
  assert.ok(longest <= 128, `${longest} lines in one turn`);
});

test('threats "FIFO": overlong, NUL and partial lines do no harm to the next one', async (t) => {
  const { path, lines, logged, until } = bench(t);
  await shell(`{ head -c 20000 /dev/zero | tr '\\0' x; printf '\\n'; printf 'c a\\0b\\n'; printf 'S'; } >${path}`);
  await shell(`printf '\\nT\\r\\n' >${path}`);
  await until(4);
  assert.deepEqual(logged, ['refused: is longer than 8192 bytes', 'refused: contains a NUL byte']);
  assert.deepEqual(lines, ['S', 'T']);
});

test('after close no line is carried out, not even one that was read already', async (t) => {
  const { path, lines, reader, until } = bench(t, (line) => {
    if (line === 'Q') reader.close();
  });
  await Promise.all([shell(`printf 'S\\nQ\\nT\\n' >${path}`), until(2)]);
  assert.deepEqual(lines, ['S', 'Q']);
});

test('a line waits until the one before it is done', async () => {
  const stream = new PassThrough();
  const order: string[] = [];
  const done = new Promise<void>((resolve) => {
    new FifoReader(stream, {
      perform: async (line) => {
        order.push(`begin ${line}`);
        await new Promise(setImmediate);
        order.push(`end ${line}`);
        if (line === 'b') resolve();
      },
      refuse: () => undefined,
      log: () => undefined,
    });
  });
  stream.write('a\nb\n');
  await done;
  assert.deepEqual(order, ['begin a', 'end a', 'begin b', 'end b']);
});

test('the end of standard input is not the end of the daemon', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const logged: string[] = [];
  new FifoReader(stream, {
    perform: async (line) => void lines.push(line),
    refuse: (reason) => logged.push(reason),
    log: ({ text }) => logged.push(text),
  });
  stream.end('S\n');
  await once(stream, 'end');
  assert.deepEqual([lines, logged], [['S'], []]);
});
