/** The commands of docs/howto-*.md do what the pages say: run as they stand, on one machine, with daemons that change no kernel. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseCertificate } from '../../src/shared/x509/certificate.ts';
import { derPieces, PEM_CERTIFICATE } from '../../src/shared/x509/pem.ts';
import { createTrustStore, DEFAULT_TRUST_SETTINGS } from '../../src/shared/x509/trust-store.ts';
import { validatePath } from '../../src/shared/x509/validate-path.ts';
import { testFolder } from '../helpers/daemon-process.ts';

const NAMESPACES = ['-r', '--mount', '--net', '--pid', '--fork', '--kill-child'];
const works = (program: string, ...words: readonly string[]): boolean => spawnSync(program, words).status === 0;
const reason = !works('unshare', ...NAMESPACES, 'ip', 'link', 'set', 'lo', 'up')
  ? 'namespaces cannot be made here (unshare -r --net, ip)'
  : !works('openssl', 'version') && 'there is no openssl tool';

const INSIDE = fileURLToPath(new URL('../helpers/walkthrough.js', import.meta.url));

/** Runs the page in `folder`; `waitsFor` is a line of east's log that has to come before its daemon is ended. */
const walk = (page: string, folder: string, waitsFor = ''): void => {
  const words = [...NAMESPACES, process.execPath, INSIDE, join('docs', page), folder, waitsFor];
  const { status, stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
};

const PAGES = readdirSync('docs').filter((name) => name.startsWith('howto-'));

for (const page of PAGES) {
  test(`docs/${page} leads from nothing to a tunnel`, { skip: reason }, (t) => {
    const folder = testFolder(t);
    walk(
      page,
      folder,
      page === 'howto-x509.md' ? 'is no longer trusted: certificate of /CN=198.51.100.1: revoked on' : '',
    );
    if (page === 'howto-x509.md') judgeRecipe(join(folder, 'openssl'));
  });
}

/** What the recipe of isakmpd(8) made with config/x509v3.cnf: openssl and we agree about it. */
const judgeRecipe = (root: string): void => {
  const authority = join(root, 'etc/ssl/ca.crt');
  const bytes = readFileSync(authority);
  const store = createTrustStore(
    { authorities: [{ file: authority, bytes }], certificates: [], revocationLists: [] },
    DEFAULT_TRUST_SETTINGS,
  );
  for (const [name, names] of [
    ['10.0.0.1.crt', ['-verify_ip', '10.0.0.1']],
    ['somehost.somedomain.crt', ['-verify_hostname', 'somehost.somedomain']],
  ] as const) {
    const file = join(root, 'home', name);
    const verified = spawnSync('openssl', ['verify', '-x509_strict', '-CAfile', authority, ...names, file], {
      encoding: 'utf8',
    });
    assert.equal(verified.stdout, `${file}: OK\n`, verified.stderr);
    const [der = new Uint8Array()] = derPieces(readFileSync(file), PEM_CERTIFICATE);
    const outcome = validatePath(parseCertificate(der), { untrusted: [], store, at: Date.now() });
    assert.equal(outcome.kind, 'valid');
  }
};

test('every page says what it needs and is linked from the README', () => {
  assert.deepEqual(PAGES, ['howto-host-keys.md', 'howto-keynote.md', 'howto-psk.md', 'howto-x509.md']);
  const readme = readFileSync('README.md', 'utf8');
  for (const page of PAGES) assert.ok(readme.includes(`(docs/${page})`), page);
});
