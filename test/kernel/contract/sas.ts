/** The contract: SAs, their algorithms and modes. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  AhTransform,
  AuthenticationAlgorithm,
  EncapsulationMode,
  EspTransform,
  ProtocolId,
} from '../../../src/shared/constants/ipsec-doi.ts';
import { keymatSizes } from '../../../src/shared/exchange/keymat.ts';
import type { Place } from './place.ts';
import { addPair, assertCarries, backOf, outward, packetsOf, putFlow } from './traffic.ts';
import { idOf, net, type SaWish, saOf } from './wishes.ts';

export const testSas = (place: Place): void => {
  it('adds SAs of both directions, lists and deletes them', async () => {
    const { here } = place.ends;
    const wishes = [{ spi: 0x1000 }, backOf({ spi: 0x1000 })];
    const started = Math.floor(Date.now() / 1000);
    await here.addSa(...saOf('out', { spi: 0x1000 }));
    await here.addSa(...saOf('in', backOf({ spi: 0x1000 })));
    for (const wish of wishes) {
      const { addedAt, ...usage } = await here.querySa(idOf(wish));
      assert.deepEqual(usage, { bytes: 0, packets: 0, usedAt: 0 });
      assert.ok(addedAt >= started - 1 && addedAt <= Date.now() / 1000 + 1, `added at ${addedAt}`);
    }
    assert.deepEqual(
      (await here.listOwn()).sas.map((sa) => JSON.stringify(sa)).sort(),
      wishes.map((wish) => JSON.stringify({ id: idOf(wish), source: wish.source ?? '10.9.0.1', reqid: 1001 })).sort(),
    );
    for (const wish of wishes) {
      await here.deleteSa(idOf(wish));
      await assert.rejects(here.deleteSa(idOf(wish)), { reason: 'missing' });
      await assert.rejects(here.querySa(idOf(wish)), { reason: 'missing' });
    }
    assert.deepEqual(await here.listOwn(), { sas: [], policies: 0 });
  });

  it('refuses a taken SPI and leaves the SA that has it as it is', async () => {
    const wish = { spi: 0x1100 };
    await addPair(place, wish);
    await putFlow(place);
    await assertCarries(place, wish);
    const { here } = place.ends;
    await assert.rejects(here.addSa(...saOf('out', { ...wish, reqid: 1002 })), { reason: 'exists' });
    await assert.rejects(here.addSa(...saOf('in', { ...backOf(wish), reqid: 1002 })), { reason: 'exists' });
    await assertCarries(place, wish);
    assert.deepEqual(
      (await here.listOwn()).sas.map(({ reqid }) => reqid),
      [1001, 1001],
    );
    assert.deepEqual(await packetsOf(place, wish, backOf(wish)), [10, 8]);
  });

  it('has no SA that it was not given', async () => {
    const { here } = place.ends;
    const [place1, place2] = [
      { address: '10.9.0.1', port: 0 },
      { address: '10.9.0.3', port: 0 },
    ];
    await assert.rejects(here.querySa(idOf({ spi: 0x1200 })), { reason: 'missing' });
    await assert.rejects(here.deleteSa(idOf({ spi: 0x1200 })), { reason: 'missing' });
    await assert.rejects(here.moveSa(idOf({ spi: 0x1200 }), place1, place2), { reason: 'missing' });
  });

  it('carries packets in every algorithm that it says it has', async () => {
    const { authentications, espTransforms, ahTransforms, onlySha2Truncation96 } = capabilitiesOf(place);
    await putFlow(place);
    let spi = 0x2000;
    const carries = async (wish: Omit<SaWish, 'spi'>): Promise<void> => {
      const whole = { ...wish, spi, sha2Truncation96: onlySha2Truncation96 };
      await addPair(place, whole);
      await assertCarries(place, whole);
      for (const one of [whole, backOf(whole)]) {
        await Promise.all([place.ends.here.deleteSa(idOf(one)), place.ends.there.deleteSa(idOf(one))]);
      }
      spi += 2;
    };
    for (const transformId of espTransforms)
      await carries({ transformId, authentication: authenticationOf(transformId) });
    for (const authentication of authentications) await carries({ authentication });
    if (ahTransforms.size > 0) await putFlow(place, { protocols: [ProtocolId.IPSEC_AH] });
    for (const transformId of ahTransforms) {
      const authentication = AH_AUTHENTICATION[transformId] ?? 0;
      await carries({ protocolId: ProtocolId.IPSEC_AH, transformId, authentication });
    }
    assert.ok(espTransforms.has(EspTransform.AES) && authentications.has(AuthenticationAlgorithm.HMAC_SHA));
  });

  it('refuses every algorithm that it says it has not', async () => {
    const { authentications, espTransforms, ahTransforms } = capabilitiesOf(place);
    const { here } = place.ends;
    const refuses = async (changes: object): Promise<void> => {
      for (const direction of ['in', 'out'] as const) {
        const [sa, context] = saOf(direction, direction === 'out' ? { spi: 0x1300 } : backOf({ spi: 0x1300 }));
        const text = `${direction} ${JSON.stringify(changes)}`;
        await assert.rejects(here.addSa({ ...sa, ...changes }, context), { reason: 'unsupported' }, text);
      }
    };
    const isMissing = (there: ReadonlySet<number>) => (number: number) => !there.has(number);
    for (const transformId of [...Object.values(EspTransform), 99].filter(isMissing(espTransforms))) {
      await refuses({ transformId });
    }
    for (const number of [...Object.values(AuthenticationAlgorithm), 99].filter(isMissing(authentications))) {
      await refuses({ authentication: number });
    }
    for (const transformId of [...Object.values(AhTransform), 99].filter(isMissing(ahTransforms))) {
      await refuses({
        protocolId: ProtocolId.IPSEC_AH,
        transformId,
        authentication: AH_AUTHENTICATION[transformId] ?? 0,
      });
    }
    assert.deepEqual(await here.listOwn(), { sas: [], policies: 0 });
  });

  it('refuses keys that are too short or too long, in words without them', async () => {
    const { here } = place.ends;
    const [sa, context] = saOf('out', { spi: 0x1400 });
    const [inbound, inboundContext] = saOf('in', backOf({ spi: 0x1400 }));
    for (const key of [sa.encryptionKey.slice(0, 15), new Uint8Array([...sa.encryptionKey, 1, 2, 3])]) {
      await assert.rejects(here.addSa({ ...sa, encryptionKey: key }, context), { reason: 'unsupported' });
      await assert.rejects(here.addSa({ ...inbound, encryptionKey: key }, inboundContext), { reason: 'unsupported' });
    }
    assert.deepEqual(await here.listOwn(), { sas: [], policies: 0 });
    // Nothing is left in the way of a good one.
    await here.addSa(sa, context);
    await here.addSa(inbound, inboundContext);
  });

  it('truncates HMAC-SHA2-256 as it is told, where it can', async () => {
    const { onlySha2Truncation96 } = capabilitiesOf(place);
    const { here, there } = place.ends;
    const wish = { spi: 0x1500, authentication: AuthenticationAlgorithm.HMAC_SHA2_256 };
    if (onlySha2Truncation96) await assert.rejects(here.addSa(...saOf('out', wish)), { reason: 'unsupported' });
    await putFlow(place);
    await addPair(place, { ...wish, sha2Truncation96: true });
    await assertCarries(place, wish);
    if (onlySha2Truncation96) return;
    // One end truncates, the other does not.
    await there.addSa(...saOf('in', { ...wish, spi: 0x1510, reqid: 1002, sha2Truncation96: true }));
    await here.addSa(...saOf('out', { ...wish, spi: 0x1510, reqid: 1002 }));
    await putFlow(place, { reqid: 1002 });
    assert.equal(await outward(place, 3), 0);
    assert.deepEqual(await packetsOf(place, { spi: 0x1510 }), [3]);
  });

  for (const [outer, inner] of [
    [6, 6],
    [4, 6],
    [6, 4],
  ] as const) {
    it(`carries IPv${inner} in IPv${outer}`, async () => {
      const [source, destination] = outer === 4 ? ['10.9.0.1', '10.9.0.2'] : ['fd09::1', 'fd09::2'];
      const addresses = inner === 4 ? (['10.1.0.1', '10.2.0.1'] as const) : (['fd01::1', 'fd02::1'] as const);
      const [local, remote] =
        inner === 4 ? [net('10.1.0.0', 16), net('10.2.0.0', 16)] : [net('fd01::', 32), net('fd02::', 32)];
      const wish = {
        spi: 0x1600 + outer * 16 + inner,
        source,
        destination,
        selectors: { source: local, destination: remote },
      };
      await addPair(place, wish);
      await putFlow(place, { local, remote, localAddress: source, remoteAddress: destination });
      await assertCarries(place, wish, addresses);
    });
  }

  it('protects what two hosts say to each other, in transport mode', async (t) => {
    if (!capabilitiesOf(place).encapsulations.has(EncapsulationMode.TRANSPORT)) {
      t.skip('it says it has no transport mode');
      return;
    }
    const hosts = { local: net('10.9.0.1', 32), remote: net('10.9.0.2', 32), encapsulation: 'transport' } as const;
    for (const [i, protocolId] of [ProtocolId.IPSEC_ESP, ProtocolId.IPSEC_AH].entries()) {
      const wish = { spi: 0x1700 + 16 * i, protocolId, encapsulation: EncapsulationMode.TRANSPORT };
      await addPair(place, wish);
      await putFlow(place, { ...hosts, protocols: [protocolId] });
      await assertCarries(place, wish, ['10.9.0.1', '10.9.0.2']);
    }
  });

  for (const encapsulation of [EncapsulationMode.TUNNEL, EncapsulationMode.TRANSPORT]) {
    const mode = encapsulation === EncapsulationMode.TUNNEL ? 'tunnel' : 'transport';
    it(`protects by ESP, and that by AH, both negotiated in ${mode} mode`, async (t) => {
      if (capabilitiesOf(place).ahTransforms.size === 0) {
        t.skip('it says it has no AH');
        return;
      }
      const addresses = mode === 'tunnel' ? (['10.1.0.1', '10.2.0.1'] as const) : (['10.9.0.1', '10.9.0.2'] as const);
      const [local, remote] =
        mode === 'tunnel' ? [net('10.1.0.0', 16), net('10.2.0.0', 16)] : addresses.map((one) => net(one, 32));
      const esp = { spi: 0x1800, encapsulation };
      const ah = { ...esp, spi: 0x1810, protocolId: ProtocolId.IPSEC_AH };
      await addPair(place, esp);
      await addPair(place, ah);
      const protocols = [ProtocolId.IPSEC_ESP, ProtocolId.IPSEC_AH];
      await putFlow(place, { protocols, encapsulation: mode, ...(local && remote && { local, remote }) });
      await assertCarries(place, esp, addresses);
      assert.deepEqual(await packetsOf(place, ah, backOf(ah)), [5, 4]);
    });
  }
};

const capabilitiesOf = ({ capabilities }: Place): NonNullable<Place['capabilities']> => {
  assert.ok(capabilities !== undefined);
  return capabilities;
};

/** HMAC-SHA1, but for those that authenticate by themselves. */
const authenticationOf = (transformId: number): number =>
  keymatSizes(ProtocolId.IPSEC_ESP, transformId, undefined, AuthenticationAlgorithm.HMAC_SHA) === undefined
    ? 0
    : AuthenticationAlgorithm.HMAC_SHA;

/** RFC 2407 §4.4.3. */
const AH_AUTHENTICATION: Readonly<Record<number, number>> = {
  [AhTransform.MD5]: AuthenticationAlgorithm.HMAC_MD5,
  [AhTransform.SHA]: AuthenticationAlgorithm.HMAC_SHA,
  [AhTransform.SHA2_256]: AuthenticationAlgorithm.HMAC_SHA2_256,
  [AhTransform.SHA2_384]: AuthenticationAlgorithm.HMAC_SHA2_384,
  [AhTransform.SHA2_512]: AuthenticationAlgorithm.HMAC_SHA2_512,
  [AhTransform.RIPEMD]: AuthenticationAlgorithm.HMAC_RIPEMD,
};
