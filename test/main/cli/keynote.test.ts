/** keynote(1), from its command line to what it prints and writes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runKeynote } from '../../../src/main/cli/keynote/run.ts';
import { OPENSSL_BODY, OPENSSL_SIGNATURES } from '../../helpers/openssl-credential.ts';

const folder = mkdtempSync(join(tmpdir(), 'keynote-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const put = (name: string, text: string): string => {
  writeFileSync(at(name), text, 'latin1');
  return at(name);
};

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly complaints: string;
}

const keynote = async (...argv: readonly string[]): Promise<Outcome> => {
  const printed: string[] = [];
  const complained: string[] = [];
  const status = await runKeynote(argv, {
    print: (text) => void printed.push(text),
    complain: (text) => void complained.push(text),
  });
  return { status, output: printed.join(''), complaints: complained.join('') };
};

const done = async (...argv: readonly string[]): Promise<string> => {
  const { status, output, complaints } = await keynote(...argv);
  assert.equal(status, 0, complaints);
  return output;
};

describe('keygen', () => {
  it('writes keys in lines of the width of the original, the private one for its owner only', async () => {
    put('old.key', 'x');
    await done('keygen', 'rsa-hex:', '1024', at('a.pub'), at('old.key'));
    const lines = readFileSync(at('a.pub'), 'latin1').split('\n');
    assert.match(lines[0] ?? '', /^ {12}"rsa-hex:30[0-9a-f]{38}\\$/);
    for (const line of lines.slice(0, -2)) assert.equal(line.length, 12 + 50);
    assert.match(lines.at(-2) ?? '', /^ {12}[0-9a-f]+"$/);
    assert.equal(lines.at(-1), '');
    assert.match(readFileSync(at('old.key'), 'latin1'), /^ {12}"private-key-rsa-hex:30/);
    assert.equal(statSync(at('old.key')).mode & 0o777, 0o600);
  });

  it('prints both to standard output, with a line between them', async () => {
    const { output, complaints } = await keynote('keygen', 'dsa-base64', '1024', '-', '-', '0', '10000');
    assert.match(output, /^"dsa-base64:[^"\\]+"\n=+\n"private-key-dsa-base64:[^"\\]+"\n$/);
    assert.match(complaints, /should be terminated with a colon/);
  });

  it('says what it cannot make', async () => {
    assert.match((await keynote('keygen', 'rsa-hex:', '512', '-', '-')).complaints, /1024 to 8192 bits, not 512/);
    assert.match((await keynote('keygen', 'ec-hex:', '256', '-', '-')).complaints, /"ec-hex:" makes no keys/);
    assert.match(
      (await keynote('keygen', 'rsa-hex:', '1024', at('no/such'), '-')).complaints,
      /cannot write .*: ENOENT/,
    );
  });
});

const ALGORITHMS = [
  'sig-rsa-sha256-hex:',
  'sig-rsa-sha256-base64:',
  'sig-rsa-sha1-hex:',
  'sig-rsa-md5-base64:',
  'sig-x509-sha1-hex:',
  'sig-x509-sha256-base64:',
];

describe('sign and sigver', () => {
  it('fit together for every algorithm, and the signature can be appended', async () => {
    await done('keygen', 'rsa-base64:', '2048', at('r.pub'), at('r.key'));
    await done('keygen', 'dsa-hex:', '1024', at('d.pub'), at('d.key'));
    for (const algorithm of [...ALGORITHMS, 'sig-dsa-sha1-hex:', 'sig-dsa-sha1-base64:']) {
      const key = algorithm.includes('dsa') ? 'd' : 'r';
      const body = `KeyNote-Version: 2\nLocal-Constants: KEY=\n${readFileSync(at(`${key}.pub`), 'latin1')}Authorizer: KEY # \xe9\nSignature:\n`;
      const signature = await done('sign', '-v', algorithm, put('unsigned', body), at(`${key}.key`));
      put('signed', body + signature);
      assert.equal(await done('sigver', at('signed')), 'Signature verified.\n');
      put('changed', (body + signature).replace('\xe9', '\xe8'));
      const { status, output, complaints } = await keynote('sigver', at('changed'));
      assert.deepEqual([status, output], [1, 'Signature did not verify!\n']);
      assert.match(complaints, /its signature is wrong/);
    }
  });

  it('take what the openssl tool has signed', async () => {
    for (const text of Object.values(OPENSSL_SIGNATURES)) {
      assert.equal(
        await done('sigver', put('openssl', `${OPENSSL_BODY}Signature: "${text}"\n`)),
        'Signature verified.\n',
      );
    }
  });

  it('make what the openssl tool recovers', { skip: openSslIsMissing() }, async () => {
    await done('keygen', 'rsa-hex:', '2048', at('o.pub'), at('o.key'), '0', '9999');
    const key = readFileSync(at('o.pub'), 'latin1');
    const body = `Authorizer: ${key}`;
    const signature = await done('sign', 'sig-rsa-sha1-hex:', put('o', `${body}Signature:`), at('o.key'), '0', '9999');
    const der = Buffer.from(key.slice('"rsa-hex:'.length, -2), 'hex');
    const pem = createPublicKey({ key: der, format: 'der', type: 'pkcs1' }).export({ format: 'pem', type: 'spki' });
    put('o.pem', pem.toString());
    writeFileSync(at('o.sig'), Buffer.from(signature.slice('"sig-rsa-sha1-hex:'.length, -2), 'hex'));
    const options = [
      '-verifyrecover',
      '-pubin',
      '-inkey',
      at('o.pem'),
      '-in',
      at('o.sig'),
      '-pkeyopt',
      'rsa_padding_mode:pkcs1',
    ];
    const { stdout } = spawnSync('openssl', ['pkeyutl', ...options]);
    const digest = createHash('sha1').update(`${body}sig-rsa-sha1-hex:`, 'latin1').digest();
    assert.deepEqual(stdout, Buffer.concat([Buffer.from([4, 20]), digest]));
  });

  it('tell assertions apart by their line, and say what cannot be read', async () => {
    const signed = `${OPENSSL_BODY}Signature: "${OPENSSL_SIGNATURES.sha256}"\n`;
    const { status, output, complaints } = await keynote(
      'sigver',
      put('several', `${signed}\n\n${signed}\nAuthorizer: "x"\n\nfoo\n`),
    );
    assert.equal(status, 1);
    assert.match(
      output,
      /^line 1: Signature verified\.\nline \d+: Signature verified\.\nline \d+: Signature did not verify!\n$/,
    );
    assert.match(complaints, /several:\d+: a line that is not indented begins a field/);
    assert.match(complaints, /it has no signature/);
    assert.match((await keynote('sigver', put('empty', '# nothing\n'))).complaints, /has no assertion/);
    assert.match((await keynote('sigver', at('absent'))).complaints, /cannot read .*absent: ENOENT/);
  });

  it('refuse what is not signed with that key, and never show it', async () => {
    const refused = async (
      assertion: string,
      key = at('r.key'),
      algorithm = 'sig-rsa-sha256-hex:',
    ): Promise<string> => {
      const { status, output, complaints } = await keynote('sign', algorithm, put('refused', assertion), key);
      assert.deepEqual([status, output], [1, '']);
      assert.ok(!complaints.includes('private-key-'), complaints);
      return complaints;
    };
    assert.match(await refused('Authorizer: "K"\nSignature:\n'), /does not belong to the Authorizer/);
    assert.match(await refused('Authorizer: "K"\n'), /has no line "Signature:"/);
    assert.match(await refused('Authorizer: who\nSignature:\n'), /depends on attributes/);
    assert.match(await refused('Authorizer: "K"\n\nAuthorizer: "K"\n'), /has 2 assertions/);
    assert.match(await refused('Authorizer: "K\n'), /refused:1: /);
    assert.match(
      await refused('Authorizer: "K"\nSignature:\n', put('bad.key', '"private-key-rsa-hex:00"\n')),
      /private key cannot be read/,
    );
    assert.match(
      await refused('Authorizer: "K"\nSignature:\n', put('bad.key', 'private-key-rsa-hex:00\n')),
      /bad.key:1: /,
    );
    assert.match(await refused('Authorizer: "K"\nSignature:\n', at('r.key'), 'sig-rsa-sha512-hex:'), /is not known/);
  });
});

describe('verify', () => {
  const policy = put(
    'policy',
    'Authorizer: "POLICY"\nLicensees: "A" && "B"\nConditions: mode == "test\\tit" -> "maybe";\n',
  );
  const a = put('a', ' # who\n "A"\n');
  const b = put('b', '"B"');

  it('prints the value, and says on standard error what decided', async () => {
    const environment = put('env', '# attributes\nmode = "test\\tit"\nother="x" _x = "y"\n');
    const { status, output, complaints } = await keynote(
      'verify',
      `-e${environment}`,
      '-l',
      policy,
      '-r',
      'no,maybe,yes',
      '-k',
      a,
      '-k',
      b,
    );
    assert.deepEqual([status, output], [0, 'Query result = maybe\n']);
    assert.match(complaints, /^keynote: _x is left out/);
    assert.match(complaints, /keynote: "maybe": the assertion at line 1 of the policy gives "maybe"/);
    assert.equal(await done('verify', '-l', policy, '-rno,maybe,yes', '-k', a, '-k', b), 'Query result = no\n');
  });

  it('counts credentials with a signature only', async () => {
    const authorizer = /"([\s\S]*?)"/.exec(OPENSSL_BODY)?.[1] ?? '';
    const root = put('root', `Authorizer: "POLICY"\nLicensees: "${authorizer}"\n`);
    const who = put('who', '"DN:/CN=a"');
    const environment = put('domain', 'app_domain = "IPsec policy"');
    const ask = ['verify', '-r', 'false,true', '-e', environment, '-l', root, '-k', who];
    const signed = put('credential', `${OPENSSL_BODY}Signature: "${OPENSSL_SIGNATURES.sha1}"\n`);
    const { output, complaints } = await keynote(...ask, signed);
    assert.equal(output, 'Query result = true\n');
    assert.match(complaints, /credential 1 is signed with the hash SHA1/);
    assert.equal((await keynote(...ask, put('unsigned', OPENSSL_BODY))).output, 'Query result = false\n');
    assert.match((await keynote(...ask, put('broken', 'Authorizer\n'))).complaints, /broken:1: /);
  });

  it('says what is missing', async () => {
    const table: readonly (readonly [readonly string[], RegExp])[] = [
      [['verify'], /-r is needed/],
      [['verify', '-r', 'true'], /two different values/],
      [['verify', '-r', 'a,b', '-r', 'a,b'], /more than one -r/],
      [['verify', '-r', 'a,b'], /-l is needed/],
      [['verify', '-r', 'a,b', '-l', policy], /-k is needed/],
      [['verify', '-x'], /unknown option: -x/],
      [['verify', '-r'], /option requires an argument: -r/],
      [['keygen', 'rsa-hex:', '1024', '-'], /two files are needed/],
      [['keygen', 'rsa-hex:', 'big', '-', '-'], /"big" is no size/],
      [['keygen', 'rsa-hex:', '1024', '-', '-', '-1'], /"?-1"?/],
      [['keygen', 'rsa-hex:', '1024', '-', '-', '0', '9'], /"9" is no length of lines: 10/],
      [['keygen', 'rsa-hex:', '1024', '-', '-', '0', '20', '1'], /too many operands/],
      [['sign', 'sig-rsa-sha1-hex:'], /are needed/],
      [['sigver', 'a', 'b'], /one file at most/],
      [['frobnicate'], /there is no command "frobnicate"/],
    ];
    for (const [argv, words] of table) {
      const { status, complaints } = await keynote(...argv);
      assert.equal(status, 1, argv.join(' '));
      assert.match(complaints, words);
      assert.match(complaints, /usage: keynote keygen/);
    }
    assert.match(
      (await keynote('verify', '-r', 'a,b', '-l', policy, '-k', put('k', 'A'))).complaints,
      /k:1: a key is a string/,
    );
    assert.match(
      (await keynote('verify', '-r', 'a,b', '-l', policy, '-k', a, '-e', put('e', 'a = b'))).complaints,
      /e:1: /,
    );
  });

  it('prints its usage', async () => {
    for (const argv of [[], ['-h'], ['verify', '-h']]) assert.match(await done(...argv), /^usage: keynote keygen/);
  });
});

it('bin/keynote is the program', () => {
  const { status, stdout } = spawnSync(process.execPath, ['bin/keynote', 'sigver'], {
    input: `${OPENSSL_BODY}Signature: "${OPENSSL_SIGNATURES.sha256}"\n`,
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [0, 'Signature verified.\n']);
});

function openSslIsMissing(): string | false {
  return spawnSync('openssl', ['version']).error === undefined ? false : 'openssl is not installed';
}
