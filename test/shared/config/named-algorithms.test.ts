import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedAlgorithms } from '../../../src/shared/config/named-algorithms.ts';
import { EXAMPLE, storeOf } from './store-of.ts';

const PEER = '[p]\nPhase=1\nAuthentication=x\n';

const CASES: readonly (readonly [string, string, readonly number[], boolean])[] = [
  ['nothing', '', [], false],
  ['generated names of both phases', EXAMPLE, [14], false],
  ['a written group', '[t]\nGROUP_DESCRIPTION=modp_4096\n', [16], false],
  ['a group that is none, and ANY', '[t]\nGROUP_DESCRIPTION=ANY\n[u]\nGROUP_DESCRIPTION=MODP_1\n', [], false],
  ['a peer without Configuration takes the defaults', PEER, [14, 19], false],
  [
    'a peer without Configuration takes the defaults of the original where it is told to',
    `[General]\nLegacy-defaults=yes\n${PEER}`,
    [2],
    false,
  ],
  [
    'the default peer, which has a phase though nobody wrote one',
    '[Default-phase-1]\nAuthentication=x\n',
    [14, 19],
    false,
  ],
  ['a connection without Configuration takes the defaults', '[c]\nPhase=2\nISAKMP-peer=p\n', [14], false],
  ['default suites', '[General]\nDefault-phase-2-suites=QM-ESP-AES-SHA-PFS-GRP20-SUITE\n', [20], false],
  [
    'parts of generated suites',
    '[s]\nProtocols=QM-ESP-AES-SHA-PFS-GRP15\n[q]\nTransforms=QM-AH-SHA-PFS-XF\n',
    [15, 2],
    false,
  ],
  ['a suite without PFS has no group', '[s]\nSuites=QM-ESP-AES-SHA-SUITE\n', [], false],
  ['a cipher of the legacy provider', '[t]\nENCRYPTION_ALGORITHM=Blowfish_CBC\n', [], true],
  ['one by a generated name', '[m]\nTransforms=AES-SHA-GRP5,cast-md5-grp5\n', [5], true],
  ['a cipher that every build has', '[t]\nENCRYPTION_ALGORITHM=3DES_CBC\n', [], false],
];
for (const [name, text, groups, hasLegacyCipher] of CASES) {
  test(name, () => {
    const found = namedAlgorithms(storeOf(text));
    assert.deepEqual([found.groups.toSorted(), found.hasLegacyCipher], [groups.toSorted(), hasLegacyCipher]);
  });
}
