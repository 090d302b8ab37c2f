/** Transforms and suites that exist by their names alone: `AES-256-SHA2-256-GRP14`, `QM-ESP-AES-SHA-PFS-GRP14-SUITE`. Behaviour of isakmpd.conf(5). */

/** What the generated section of this name says, tag (folded) -> value; undefined where the name follows no pattern. Takes folded names. */
export const generatedSection = (section: string): ReadonlyMap<string, string> | undefined =>
  section.startsWith('qm-') ? quickModeSection(section) : mainModeTransform(section);

/** The names of cipher (phase 1 only) and group that a generated transform, suite or part of a suite has; undefined where the name follows no pattern. Takes folded names. */
export const generatedAlgorithms = (
  name: string,
): { readonly cipher: string | undefined; readonly group: string | undefined } | undefined => {
  const isPhase2 = name.startsWith('qm-');
  const tags = isPhase2 ? quickModeSection(`${name.replace(/-(?:suite|xf)$/, '')}-xf`) : mainModeTransform(name);
  return tags && { cipher: tags.get('encryption_algorithm'), group: tags.get('group_description') };
};

/** Every generated transform of phase 1, or every generated suite of phase 2 that is no half of one: what somebody may have meant. */
export const generatedNames = (phase: 1 | 2): readonly string[] => {
  const groups = ['', ...Array.from(GROUPS.keys(), (group) => `-GRP${group}`)];
  const names =
    phase === 1
      ? combined([...MAIN_MODE_CIPHERS.keys()], HASHES, groups, ['', '-RSA_SIG'])
      : combined(
          ['QM-ESP', 'QM-AH'],
          ['', '-TRP'],
          ['', ...dashed(QUICK_MODE_CIPHERS.keys())],
          ['', ...HASHES],
          ['-SUITE', ...groups.map((group) => `-PFS${group}-SUITE`)],
        );
  return names.map((name) => name.toUpperCase()).filter((name) => generatedSection(name.toLowerCase()) !== undefined);
};

const dashed = (tokens: Iterable<string>): readonly string[] => Array.from(tokens, (token) => `-${token}`);

const combined = (...parts: readonly (readonly string[])[]): readonly string[] =>
  parts.reduce((names, tokens) => names.flatMap((name) => tokens.map((token) => name + token)), ['']);

/** ENC-HASH[-GRPn][-AUTH] */
const mainModeTransform = (name: string): ReadonlyMap<string, string> | undefined => {
  const found = MAIN_MODE.exec(name);
  if (found === null) return undefined;
  const [, encryption = '', hash = '', group = '2', authentication = 'pre_shared'] = found;
  const cipher = MAIN_MODE_CIPHERS.get(encryption);
  const groupName = GROUPS.get(group);
  if (cipher === undefined || groupName === undefined) return undefined;
  return tagsOf({
    encryption_algorithm: cipher.name,
    key_length: cipher.keyLength,
    hash_algorithm: hash.toUpperCase().replaceAll('-', '_'),
    authentication_method: authentication.toUpperCase(),
    group_description: groupName,
    life: 'LIFE_MAIN_MODE',
  });
};

/** QM-PROTO[-TRP][-CIPHER][-HASH][-PFS[-GRPn]] followed by -SUITE (the suite), nothing (its one protocol) or -XF (the one transform of that). */
const quickModeSection = (name: string): ReadonlyMap<string, string> | undefined => {
  const found = QUICK_MODE.exec(name);
  if (found === null) return undefined;
  const [, base = '', protocol = '', transport, cipherToken, hash, pfs, group = '2', object] = found;
  const cipher = cipherToken === undefined ? undefined : QUICK_MODE_CIPHERS.get(cipherToken);
  if (!isCombination(protocol, cipherToken, cipher, hash)) return undefined;
  const groupName = pfs === undefined ? undefined : GROUPS.get(group);
  if (pfs !== undefined && groupName === undefined) return undefined;
  const spelled = base.toUpperCase();
  if (object === '-suite') return tagsOf({ protocols: spelled });
  if (object === undefined) {
    return tagsOf({ protocol_id: `IPSEC_${protocol.toUpperCase()}`, transforms: `${spelled}-XF` });
  }
  const hashName = hash?.toUpperCase().replaceAll('-', '_');
  return tagsOf({
    transform_id: cipher?.name ?? hashName,
    key_length: cipher?.keyLength,
    encapsulation_mode: transport === undefined ? 'TUNNEL' : 'TRANSPORT',
    authentication_algorithm: hashName && `HMAC_${hashName}`,
    // The original forgets the group where there is no hash, so that its GCM suites negotiate without PFS.
    group_description: groupName,
    life: 'LIFE_QUICK_MODE',
  });
};

/** ESP has a cipher, AH has none but a hash, and GCM and GMAC authenticate by themselves. */
const isCombination = (
  protocol: string,
  token: string | undefined,
  cipher: Cipher | undefined,
  hash: string | undefined,
): boolean => {
  if (protocol === 'ah') return token === undefined && hash !== undefined;
  return cipher !== undefined && !(cipher.authenticates && hash !== undefined);
};

const tagsOf = (tags: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> => {
  const given = new Map<string, string>();
  for (const [tag, value] of Object.entries(tags)) if (value !== undefined) given.set(tag, value);
  return given;
};

interface Cipher {
  readonly name: string;
  readonly keyLength?: string;
  readonly authenticates?: true;
}

const sized = (token: string, name: string, extra: { readonly authenticates?: true } = {}): [string, Cipher][] =>
  [128, 192, 256].map((bits) => [`${token}-${bits}`, { name, keyLength: `${bits},${bits}:${bits}`, ...extra }]);

const MAIN_MODE_CIPHERS: ReadonlyMap<string, Cipher> = new Map<string, Cipher>([
  ['blf', { name: 'BLOWFISH_CBC', keyLength: '128,96:192' }],
  ['3des', { name: '3DES_CBC' }],
  ['cast', { name: 'CAST_CBC' }],
  ['aes', { name: 'AES_CBC', keyLength: '128,128:256' }],
  ...sized('aes', 'AES_CBC'),
]);

const QUICK_MODE_CIPHERS: ReadonlyMap<string, Cipher> = new Map<string, Cipher>([
  ['3des', { name: '3DES' }],
  ['cast', { name: 'CAST' }],
  ['blf', { name: 'BLOWFISH', keyLength: '128,96:192' }],
  ['aes', { name: 'AES', keyLength: '128,128:256' }],
  ...sized('aes', 'AES'),
  ['aesctr', { name: 'AES_CTR' }],
  ...sized('aesctr', 'AES_CTR'),
  ...sized('aesgcm', 'AES_GCM_16', { authenticates: true }),
  ...sized('aesgmac', 'AES_GMAC', { authenticates: true }),
  ['null', { name: 'NULL' }],
]);

const GROUPS: ReadonlyMap<string, string> = new Map([
  ['1', 'MODP_768'],
  ['2', 'MODP_1024'],
  ['5', 'MODP_1536'],
  ['14', 'MODP_2048'],
  ['15', 'MODP_3072'],
  ['16', 'MODP_4096'],
  ['17', 'MODP_6144'],
  ['18', 'MODP_8192'],
  ['19', 'ECP_256'],
  ['20', 'ECP_384'],
  ['21', 'ECP_521'],
  ['25', 'ECP_192'],
  ['26', 'ECP_224'],
  ['27', 'BP_224'],
  ['28', 'BP_256'],
  ['29', 'BP_384'],
  ['30', 'BP_512'],
]);

const HASHES = dashed(['md5', 'sha', 'sha2-256', 'sha2-384', 'sha2-512', 'ripemd']);
const CIPHER_TOKEN = '(3des|cast|blf|null|aes(?:ctr)?(?:-\\d+)?|aesg(?:cm|mac)-\\d+)';
const HASH_TOKEN = '(md5|sha2-256|sha2-384|sha2-512|sha|ripemd)';
const MAIN_MODE =
  /^(blf|3des|cast|aes(?:-\d+)?)-(md5|sha2-256|sha2-384|sha2-512|sha)(?:-grp(\d+))?(?:-(dss|rsa_sig))?$/;
const QUICK_MODE = new RegExp(
  `^(qm-(esp|ah)(-trp)?(?:-${CIPHER_TOKEN})?(?:-${HASH_TOKEN})?(?:(-pfs)(?:-grp(\\d+))?)?)(-suite|-xf)?$`,
);

/** What names are made of, in lower case: for the documentation. */
export const GENERATED_TOKENS = {
  phase1Ciphers: [...MAIN_MODE_CIPHERS.keys()],
  phase2Ciphers: [...QUICK_MODE_CIPHERS.keys()],
  hashes: HASHES.map((token) => token.slice(1)),
  groups: [...GROUPS.keys()],
} as const;
