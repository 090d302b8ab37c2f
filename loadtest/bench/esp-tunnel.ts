/**
 * `npm run bench:esp-tunnel`: TCP between two network namespaces through userland ESP on both sides; Mbit/s, and what the gateways' processes cost for it. Needs root. Arguments: megabytes
 * (200), and "gcm" (AES-GCM-128) or "cbc" (AES-CBC-128 with HMAC-SHA1-96).
 */
import { readFileSync } from 'node:fs';
import { EspTransform } from '../../src/shared/constants/ipsec-doi.ts';
import { addSa, flowOf, type Gateway, openTunnel } from '../esp/gateways.ts';
import { EspEndpoint } from '../esp/namespaces.ts';

const megabytes = Number(process.argv[2] ?? '200');
const isCbc = process.argv[3] === 'cbc';

/** CPU seconds of a process so far; the kernel counts in hundredths. */
const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const tunnel = await openTunnel({});
const { left, right } = tunnel;
const [source, sink] = [new EspEndpoint(left.namespace), new EspEndpoint(right.namespace)];
try {
  const wish = isCbc ? { transformId: EspTransform.AES } : {};
  await left.endpoint.call({ kind: 'putFlow', flow: flowOf(left, right) });
  await right.endpoint.call({ kind: 'putFlow', flow: flowOf(right, left) });
  await addSa(left, right, { ...wish, spi: 0x1001 });
  await addSa(right, left, { ...wish, spi: 0x1002 });
  const port = Number(await sink.call({ kind: 'serve', address: right.inner }));
  const cpu = ({ endpoint }: Gateway): number => cpuSeconds(endpoint.pid);
  const before = [cpu(left), cpu(right)] as const;
  const start = performance.now();
  await source.call({
    kind: 'send',
    from: left.inner,
    to: { address: right.inner, port },
    bytes: megabytes * 1e6,
  });
  await sink.event('received');
  const seconds = (performance.now() - start) / 1000;
  const [sealing, opening] = [cpu(left) - before[0], cpu(right) - before[1]];
  const megabits = megabytes * 8;
  console.log(
    `${isCbc ? 'AES-CBC-128 HMAC-SHA1-96' : 'AES-GCM-128'}: ${megabytes} MB in ${seconds.toFixed(1)} s, ${(megabits / seconds).toFixed(0)} Mbit/s; ` +
      `sender ${sealing.toFixed(2)} CPU s, receiver ${opening.toFixed(2)} CPU s: ${(megabits / (sealing + opening)).toFixed(0)} Mbit per CPU second of both`,
  );
} finally {
  await Promise.all([source.end(), sink.end()]);
  await tunnel.end();
}
