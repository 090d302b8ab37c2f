/** The generated documentation is what the tables say, and the programs that read it take it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pages } from '../../../src/main/docs/pages.ts';
import { manualPage } from '../../../src/main/docs/roff.ts';
import { dashed, OPTIONS } from '../../../src/shared/cli/option-table.ts';
import { PKI_COMMANDS, PKI_COMMON } from '../../../src/shared/cli/pki-table.ts';
import { SECTION_KINDS } from '../../../src/shared/config/sections.ts';
import { COMMAND_FORMS, parseCommand } from '../../../src/shared/fifo/commands.ts';
import { ACTION_ATTRIBUTES } from '../../../src/shared/policy-check/attribute-table.ts';

const read = (path: string): string => readFileSync(path, 'utf8');
const PAGES = pages(read);

/** A reason to skip where the program is not installed. */
const unless = (program: string): { readonly skip: string | false } => ({
  skip: spawnSync(program, ['--version']).error === undefined ? false : `${program} is not installed`,
});

for (const [path, text] of PAGES) {
  test(`${path} is what the tables say: else run \`npm run docs\``, () => {
    assert.equal(read(path), text);
    assert.doesNotMatch(text, /\{\{[a-z-]+\}\}/, 'every piece is filled in');
  });
}

test('the reference has every tag of every section', () => {
  const page = PAGES.get('docs/isakmpd.conf.md') ?? '';
  const absent = Object.values(SECTION_KINDS)
    .flatMap(({ tags }) => tags.map(({ name }) => `| \`${name}\` |`))
    .filter((row) => !page.includes(row));
  assert.deepEqual(absent, []);
});

test('isakmpd.policy(5) has every action attribute, and says something of it', () => {
  const page = PAGES.get('docs/man/isakmpd.policy.5') ?? '';
  for (const { name, doc } of ACTION_ATTRIBUTES) {
    assert.ok(page.includes(`\\fB${name}\\fR`), name);
    assert.match(doc, /^[A-Z`].*\.$/, name);
  }
});

test('the commands that the manual shows are commands', () => {
  const shown = COMMAND_FORMS.map(([form]) => form.replace(/ ?\[(force|main\|quick|=path)\]/g, ''));
  const examples = shown.map((form) =>
    form
      .replace('cookies msgid', `${'0'.repeat(32)} -`)
      .replace('class', '3')
      .replace('level', '50'),
  );
  const malformed = examples.filter((line) => parseCommand(line).kind === 'malformed');
  assert.deepEqual(malformed, []);
});

test('text that would be a request of roff is text', () => {
  const page = manualPage('# Name\n\n.so /etc/passwd\n\n    .sy rm\n\n`\\back`', {
    name: 'x',
    section: '8',
    date: '2026-01-01',
    source: 'x',
    volume: 'x',
  });
  assert.match(page, /^\\&\.so /m);
  assert.match(page, /^\\&\.sy rm$/m);
  assert.match(page, /\\fB\\eback\\fR/);
});

const { man: MANUALS } = JSON.parse(read('package.json')) as { readonly man: readonly string[] };

test('package.json has every manual page', () => {
  assert.deepEqual([...MANUALS].sort(), [...PAGES.keys()].filter((path) => /^docs\/man\/.*\.\d$/.test(path)).sort());
});

for (const manual of MANUALS) {
  test(`mandoc has no warning about ${manual}`, unless('mandoc'), () => {
    const { status, stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', manual], {
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  });

  test(`groff has no warning about ${manual}`, unless('groff'), () => {
    const { status, stderr } = spawnSync('groff', ['-man', '-ww', '-z', '-Tutf8', '-k', manual], { encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  });
}

const BASH_FILE = join('config', 'completion', 'isakmpd.bash');

/** What bash offers for the last of these words. */
const bashOffers = (...words: readonly string[]): readonly string[] => {
  const script = `source ${BASH_FILE}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _isakmpd; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
};

test('bash offers every option', unless('bash'), () => {
  const offered = OPTIONS.map(({ key }) => dashed(key));
  assert.deepEqual(bashOffers('isakmpd', '-'), offered);
  assert.deepEqual(bashOffers('isakmpd', '--log'), ['--log-format']);
});

test('bash offers words and files for the arguments of options', unless('bash'), () => {
  assert.deepEqual(bashOffers('isakmpd', '--log-format', 'j'), ['json']);
  assert.deepEqual(bashOffers('isakmpd', '--log-format', '=', 't'), ['text']);
  assert.deepEqual(bashOffers('isakmpd', '--log-format', '='), ['text', 'json']);
  assert.deepEqual(bashOffers('isakmpd', '-c', 'package.j'), ['package.json']);
  assert.deepEqual(bashOffers('isakmpd', '--run-dir', 'confi'), ['config']);
  assert.deepEqual(bashOffers('isakmpd', '-p', ''), []);
});

test('bash offers commands, options and arguments of isakmpd pki', unless('bash'), () => {
  assert.deepEqual(bashOffers('isakmpd', 'p'), ['pki']);
  assert.deepEqual(
    bashOffers('isakmpd', 'pki', ''),
    PKI_COMMANDS.map(({ name }) => name),
  );
  for (const { name, options } of PKI_COMMANDS) {
    const offered = [...PKI_COMMON, ...options].map(({ key }) => dashed(key));
    assert.deepEqual(bashOffers('isakmpd', 'pki', name, '-'), [...offered, '--help']);
  }
  assert.deepEqual(bashOffers('isakmpd', 'pki', 'init', '--ec', 'P-3'), ['P-384']);
  assert.deepEqual(bashOffers('isakmpd', 'pki', 'ca', '--ca-dir', 'confi'), ['config']);
  assert.deepEqual(bashOffers('isakmpd', 'pki', 'sign', 'package.j'), ['package.json']);
  assert.deepEqual(bashOffers('isakmpd', 'pki', 'sign', '--days', ''), []);
});

test('zsh gets the commands of isakmpd pki, and a specification for every option of theirs', unless('zsh'), () => {
  const offers = (...words: readonly string[]): readonly string[] => {
    const script = `_arguments() { print -rl -- "$@" }; _describe() { print -rl -- $pki_commands }; words=(${words.join(' ')} ''); CURRENT=$#words; source config/completion/_isakmpd`;
    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.trimEnd().split('\n');
  };
  assert.deepEqual(
    offers('isakmpd', 'pki'),
    PKI_COMMANDS.map(({ name, help }) => `${name}:${help}`),
  );
  for (const { name, options } of PKI_COMMANDS) {
    const specifications = offers('isakmpd', 'pki', name);
    for (const { key } of [...PKI_COMMON, ...options]) {
      assert.ok(
        specifications.some((line) => line.replace('*', '').startsWith(`--${key}[`)),
        `${name} --${key}`,
      );
    }
  }
  assert.ok(
    offers('isakmpd', 'pki', 'init').includes(
      '--ec[make an ECDSA key\\: P-256, P-384, P-521]:curve:(P-256 P-384 P-521)',
    ),
  );
});

test('zsh gets a specification for every option', unless('zsh'), () => {
  const script = '_arguments() { print -rl -- "$@" }; source config/completion/_isakmpd';
  const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  const [, , ...specifications] = stdout.trimEnd().split('\n');
  assert.equal(specifications.pop(), '1::command:(pki)');
  assert.equal(specifications.length, OPTIONS.length);
  assert.ok(specifications.some((line) => /^--log-format=\[.*\]:text\|json:\(text json\)$/.test(line)));
  assert.ok(specifications.some((line) => /^-c\+\[.*\]:config-file:_files$/.test(line)));
});
