/**
 * Userland ESP on one side, Linux's own on the other, with every suite that Linux has. Runs inside a kernel with ESP (test/kernel/userland/linux-kernel.test.ts boots it) and writes one
 * line per suite, with "ok" or what went wrong. Arguments: what to try, 4:0:1 for all suites over IPv4.
 */

import { flowOf, type Gateway, openGateways, saOf } from '../../loadtest/esp/gateways.ts';
import { EspEndpoint } from '../../loadtest/esp/namespaces.ts';
import { AuthenticationAlgorithm, EspTransform } from '../../src/shared/constants/ipsec-doi.ts';
import { ESP_SUITES, type NamedSuite } from './esp-suites.ts';

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
  if (received !== JSON.stringify({ size: 20_000, hash })) throw new Error(`received ${received}`);
  for (const [destination, number] of [
    [right.outer, spi],
    [left.outer, spi + 1],
  ] as const) {
    const id = { protocolId: 3, spi: number, destination };
    const usage = await left.endpoint.call({ kind: 'querySa', id });
    if (!JSON.stringify(usage).match(/"packets":[1-9]/)) throw new Error(`SA ${number} was not used`);
    await left.endpoint.call({ kind: 'deleteSa', id });
  }
};

/** `udp`: port of the encapsulation, 0: none. `step`: 1 for every suite, 2 for every other one. */
const tryMany = async (family: 4 | 6, udp: number, step: number): Promise<void> => {
  const tunnel = openGateways({
    outer: family,
    inner: family,
    endpoint: (namespace) => new EspEndpoint(namespace, process.execArgv),
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
    const suites = ESP_SUITES.filter((_, index) => index % step === 0);
    for (const [index, named] of suites.entries()) {
      const outcome = await tryOne(left, right, named, 0x1001 + 2 * index, udp).then(
        () => 'ok',
        (fault: Error) => fault.message.split('\n').join(' '),
      );
      process.stdout.write(`IPv${family}${udp === 0 ? '' : ' in UDP'} ${named.name}: ${outcome}\n`);
    }
  } finally {
    await tunnel.end();
  }
};

for (const plan of process.argv.slice(2)) {
  const [family, udp = 0, step = 1] = plan.split(':').map(Number);
  await tryMany(family === 6 ? 6 : 4, udp, step);
}
