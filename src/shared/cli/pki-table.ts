/** The commands of `isakmpd pki` with their operands and options. Parsing, help, completion and manual derive from it. */
import { CURVES } from '../pki/key-pair.ts';
import { REVOCATION_REASONS } from '../x509/revocation-list.ts';
import type { OptionRow } from './option-table.ts';

export interface PkiCommandRow {
  readonly name: PkiCommandName;
  /** As yargs writes them: `<request-file> <identity..>`. */
  readonly operands: string;
  readonly help: string;
  readonly options: readonly PkiOptionRow[];
}

export interface PkiOptionRow extends OptionRow {
  /** All that the argument can be. */
  readonly choices?: readonly string[];
  readonly letter?: string;
}

export type PkiCommandName = 'init' | 'ca' | 'request' | 'sign' | 'crl' | 'pubkey';

const option = (key: string, argument: string, help: string): PkiOptionRow => ({ key, argument, help });

const EC: PkiOptionRow = { ...option('ec', 'curve', `make an ECDSA key: ${CURVES.join(', ')}`), choices: CURVES };
const bits = (fallback: number): PkiOptionRow =>
  option('bits', 'number', `size of the RSA key, 2048 to 8192 [${fallback}]`);
const days = (what: string, fallback: number): PkiOptionRow =>
  option('days', 'number', `how long ${what}, 1 to 36500 [${fallback}]`);
const CA_DIRECTORY = option('ca-dir', 'directory', 'where the CA has ca.crt and private/ca.key [/etc/ssl]');
const SUBJECT = (fallback: string): PkiOptionRow =>
  option('subject', 'name', `name of the holder, /C=SE/O=Company/CN=gate [${fallback}]`);
const OUT = (fallback: string): PkiOptionRow => option('out', 'file', `what to write [${fallback}]`);

const FORCE: PkiOptionRow = { key: 'force', argument: undefined, help: 'write over files that are there' };

/** Options of every command. */
export const PKI_COMMON: readonly PkiOptionRow[] = [
  {
    ...option(
      'config-file',
      'file',
      'configuration that says where keys and certificates are [/etc/isakmpd/isakmpd.conf]',
    ),
    letter: 'c',
  },
];

/** Reasons that the operator of a CA can give: the last one takes a certificate off a list. */
const REASONS = REVOCATION_REASONS.filter((reason) => !['unspecified', 'unknown', 'removeFromCRL'].includes(reason));

export const PKI_COMMANDS: readonly PkiCommandRow[] = [
  {
    name: 'init',
    operands: '',
    help: 'make the key of this host: local.key and local.pub',
    options: [EC, bits(2048), FORCE],
  },
  {
    name: 'ca',
    operands: '',
    help: 'make a certificate authority: its key, and its certificate, which goes into CA-directory as well',
    options: [
      CA_DIRECTORY,
      SUBJECT('/CN=CA of this host'),
      days('its certificate is valid', 3650),
      EC,
      bits(3072),
      FORCE,
    ],
  },
  {
    name: 'request',
    operands: '<identity..>',
    help: 'make a certificate request for the key of this host',
    options: [
      option('key', 'file', 'private key [Private-key]'),
      SUBJECT('/CN=identity'),
      OUT('identity.csr beside the key'),
      FORCE,
    ],
  },
  {
    name: 'sign',
    operands: '<request-file> <identity..>',
    help: 'sign a request, for these identities and no others; the certificate goes into Cert-directory',
    options: [
      CA_DIRECTORY,
      SUBJECT('that of the request'),
      days('the certificate is valid, not beyond its CA', 365),
      OUT('identity.crt in Cert-directory'),
      FORCE,
    ],
  },
  {
    name: 'crl',
    operands: '[certificate-file..]',
    help: 'revoke certificates, and write the CRL anew: what was revoked before stays in it',
    options: [
      CA_DIRECTORY,
      {
        ...option('serial', 'hex', 'revoke a certificate whose file is lost, by its serial number'),
        isRepeatable: true,
      },
      { ...option('reason', 'word', `why: ${REASONS.join(', ')}`), choices: REASONS },
      days('until the next CRL comes', 40),
      OUT('ca.crl in CRL-directory'),
    ],
  },
  {
    name: 'pubkey',
    operands: '<file> <identity>',
    help: 'put the public key of a peer where the daemon finds it: from a file with its key, request or certificate',
    options: [OUT('the place of the identity below Pubkey-directory'), FORCE],
  },
];
