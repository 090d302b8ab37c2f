/** Userland ESP on one side, Linux's own on the other, with every suite that quick mode can agree on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flowOf, type Gateway, openGateways, saOf } from '../../../loadtest/esp/gateways.ts';
import { EspEndpoint } from '../../../loadtest/esp/namespaces.ts';
import { AuthenticationAlgorithm, EspTransform } from '../../../src/shared/constants/ipsec-doi.ts';
import { ESP_SUITES, type NamedSuite } from '../../helpers/esp-suites.ts';

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;

const CIPHERS: ReadonlyMap<number, string> = new Map([
  [EspTransform.DES, 'cbc(des)'],
  [EspTransform['3DES'], 'cbc(des3_ede)'],
  [EspTransform.CAST, 'cbc(cast5)'],
  [EspTransform.BLOWFISH, 'cbc(blowfish)'],
  [EspTransform.AES, 'cbc(aes)'],
  [EspTransform.AES_CTR, 'rfc3686(ctr(aes))'],
]);

const HASHES: ReadonlyMap<number, string> = new Map([
  [AuthenticationAlgorithm.HMAC_MD5, 'hmac(md5)'],
  [AuthenticationAlgorithm.HMAC_SHA, 'hmac(sha1)'],
  [AuthenticationAlgorithm.HMAC_RIPEMD, 'hmac(rmd160)'],
  [AuthenticationAlgorithm.HMAC_SHA2_256, 'hmac(sha256)'],
  [AuthenticationAlgorithm.HMAC_SHA2_384, 'hmac(sha384)'],
  [AuthenticationAlgorithm.HMAC_SHA2_512, 'hmac(sha512)'],
]);

/** The SA as ip(8) wants it. */
const xfrmState = (from: Gateway, to: Gateway, spi: number, named: NamedSuite, udp: number): string[] => {
  const { sa } = saOf(from, to, 'in', { ...named, spi });
  const { suite } = named;
  const algorithms =
    suite.mode === 'gcm' || suite.mode === 'gmac'
      ? ['aead', suite.mode === 'gcm' ? 'rfc4106(gcm(aes))' : 'rfc4543(gcm(aes))', hex(sa.encryptionKey), '128']
      : [
          ...[
            'enc',
            CIPHERS.get(named.transformId) ?? 'ecb(cipher_null)',
            suite.keySize > 0 ? hex(sa.encryptionKey) : '',
          ],
          ...(suite.hmac === ''
            ? []
            : [
                'auth-trunc',
                HASHES.get(named.authentication) ?? '',
                hex(sa.authenticationKey),
                String(suite.icvSize * 8),
              ]),
        ];
  const names = [
    'src',
    from.outer,
    'dst',
    to.outer,
    'proto',
    'esp',
    'spi',
    String(spi),
    'reqid',
    '7',
    'mode',
    'tunnel',
  ];
  const encapsulation = udp === 0 ? [] : ['encap', 'espinudp', String(udp), String(udp), '0.0.0.0'];
  return ['ip', 'xfrm', 'state', 'add', ...names, 'replay-window', '32', ...algorithms, ...encapsulation];
};

const policies = (left: Gateway, right: Gateway): void => {
  const network = ({ network: { address, prefixLength } }: Gateway): string => `${address}/${prefixLength}`;
  const add = (direction: string, from: Gateway, to: Gateway): void => {
    const selector = `src ${network(from)} dst ${network(to)}`;
    const template = `tmpl src ${from.outer} dst ${to.outer} proto esp reqid 7 mode tunnel`;
    right.namespace.run(`ip xfrm policy add dir ${direction} ${selector} ${template}`);
  };
  add('out', right, left);
  add('in', left, right);
};

const tryOne = async (left: Gateway, right: Gateway, named: NamedSuite, spi: number, udp: number): Promise<void> => {
  const wish = { ...named, spi, ...(udp === 0 ? {} : { udp: { source: udp, destination: udp } }) };
  const back = { ...wish, spi: spi + 1 };
  right.namespace.run('ip xfrm state flush');
  right.namespace.runWords(xfrmState(left, right, spi, named, udp));
  right.namespace.runWords(xfrmState(right, left, spi + 1, named, udp));
  await left.endpoint.call({ kind: 'addSa', ...saOf(left, right, 'out', wish) });
  await left.endpoint.call({ kind: 'addSa', ...saOf(right, left, 'in', back) });
  const port = Number(await right.endpoint.call({ kind: 'serve', address: right.inner }));
  const to = { address: right.inner, port };
  const hash = await left.endpoint.call({ kind: 'send', from: left.inner, to, bytes: 20_000 });
  const received = JSON.stringify(await right.endpoint.event('received'));
  assert.equal(received, JSON.stringify({ size: 20_000, hash }));
  for (const [destination, number] of [
    [right.outer, spi],
    [left.outer, spi + 1],
  ] as const) {
    const id = { protocolId: 3, spi: number, destination };
    const usage = await left.endpoint.call({ kind: 'querySa', id });
    assert.match(JSON.stringify(usage), /"packets":[1-9]/);
    await left.endpoint.call({ kind: 'deleteSa', id });
  }
};

/** Userland on the left, with all algorithms that OpenSSL has. `udp`: port of the encapsulation, 0: none. */
const between = async (
  family: 4 | 6,
  udp: number,
  use: (left: Gateway, right: Gateway) => Promise<void>,
): Promise<void> => {
  const tunnel = openGateways({
    outer: family,
    inner: family,
    endpoint: (namespace) => new EspEndpoint(namespace, ['--openssl-legacy-provider']),
  });
  const { left, right } = tunnel;
  try {
    await left.open();
    const { address, prefixLength } = left.network;
    right.namespace.run(`ip route add ${address}/${prefixLength} via ${left.outer} src ${right.inner}`);
    await left.endpoint.call({ kind: 'putFlow', flow: flowOf(left, right) });
    policies(left, right);
    if (udp > 0) {
      await left.endpoint.call({ kind: 'encapsulate', local: { address: left.outer, port: udp }, mark: 0 });
      await right.endpoint.call({ kind: 'kernelEncapsulation', local: { address: right.outer, port: udp } });
    }
    await use(left, right);
  } finally {
    await tunnel.end();
  }
};

/** The lists have seven kinds of integrity for each cipher: every fifth suite has them all, and all ciphers. */
const STEP = process.env['KERNEL_TESTS'] === 'full' ? 1 : 5;

describe("userland ESP and Linux's understand each other", () => {
  for (const [family, udp, step] of [
    [4, 0, STEP],
    [6, 0, 13],
    [4, 4500, 13],
  ] as const) {
    const suites = ESP_SUITES.filter((_, index) => index % step === 0);
    it(`over IPv${family}${udp > 0 ? ' in UDP' : ''}, with ${suites.length} suites`, async () => {
      await between(family, udp, async (left, right) => {
        for (const [index, named] of suites.entries()) {
          await tryOne(left, right, named, 0x1001 + 2 * index, udp).catch((fault: Error) => {
            throw new assert.AssertionError({ message: `${named.name}: ${fault.message}` });
          });
        }
      });
    });
  }
});
