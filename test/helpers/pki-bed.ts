/** `isakmpd pki` in a folder of the test's own, with the openssl tool as its judge. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { runPki } from '../../src/main/cli/pki/run.ts';
import { InvariantError } from '../../src/shared/errors.ts';
import { testFolder } from './daemon-process.ts';

export interface PkiBed {
  readonly folder: string;
  /** Of isakmpd.conf, which places everything below `etc/`. */
  readonly configuration: string;
  readonly path: (name: string) => string;
  readonly read: (name: string) => string;
  /** Permission bits. */
  readonly mode: (name: string) => number;
  readonly write: (name: string, content: string | Buffer, mode?: number) => void;
  /** Runs `isakmpd pki`; the CA is in `ssl/`. */
  readonly pki: (...words: readonly string[]) => Promise<PkiOutcome>;
  /** The same; throws unless it succeeds. Answers what it printed. */
  readonly done: (...words: readonly string[]) => Promise<string>;
  /** Runs the tool in the folder; throws unless it succeeds. Answers what it printed. */
  readonly openssl: (...words: readonly string[]) => string;
  readonly tryOpenssl: (...words: readonly string[]) => { readonly status: number | null; readonly text: string };
}

export interface PkiOutcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export const pkiBed = (t: TestContext): PkiBed => {
  const folder = testFolder(t);
  const path = (name: string): string => join(folder, name);
  const configuration = path('isakmpd.conf');
  writeFileSync(configuration, configurationIn(folder), { mode: 0o600 });
  const tryOpenssl: PkiBed['tryOpenssl'] = (...words) => {
    const { status, stdout, stderr } = spawnSync('openssl', words, { cwd: folder, encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  const pki: PkiBed['pki'] = async (...words) => {
    let [out, err] = ['', ''];
    const status = await runPki(withPlaces(words, configuration, path('ssl')), {
      print: (text) => {
        out += text;
      },
      complain: (text) => {
        err += text;
      },
    });
    return { status, out, err: err.replaceAll(folder, '') };
  };
  return {
    folder,
    configuration,
    path,
    read: (name) => readFileSync(path(name), 'utf8'),
    mode: (name) => statSync(path(name)).mode & 0o777,
    write: (name, content, mode = 0o644) => {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), content, { mode });
    },
    pki,
    done: async (...words) => {
      const { status, out, err } = await pki(...words);
      if (status !== 0) throw new InvariantError(`pki ${words.join(' ')}: ${err}`);
      return out;
    },
    tryOpenssl,
    openssl: (...words) => {
      const { status, text } = tryOpenssl(...words);
      if (status !== 0) throw new InvariantError(`openssl ${words.join(' ')}: ${text}`);
      return text;
    },
  };
};

const withPlaces = (words: readonly string[], configuration: string, ssl: string): readonly string[] => {
  const hasAuthority = ['ca', 'sign', 'crl'].includes(words[0] ?? '');
  return [...words, '-c', configuration, ...(hasAuthority ? ['--ca-dir', ssl] : [])];
};

const configurationIn = (folder: string): string => `[General]
Pubkey-directory=${folder}/etc/pubkeys/
[X509-certificates]
CA-directory=${folder}/etc/ca/
Cert-directory=${folder}/etc/certs/
CRL-directory=${folder}/etc/crls/
Private-key=${folder}/etc/private/local.key
Private-key-directory=${folder}/etc/private/
`;
