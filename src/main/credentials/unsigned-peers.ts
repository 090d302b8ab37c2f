/** Says at load which peers want signatures that no key of ours can make. */
import { unsignedPeers } from '../../shared/credentials/check-peers.ts';
import type { CredentialFiles } from '../../shared/credentials/credential-files.ts';
import { createCredentials } from '../../shared/credentials/credentials.ts';
import { notice } from '../../shared/log/records.ts';
import type { PeerPolicy } from '../../shared/policy/peer-policy.ts';
import type { LogRecord } from '../../shared/threads/contract.ts';

export class UnsignedPeers {
  readonly #files: () => CredentialFiles;
  readonly #log: (record: LogRecord) => void;
  #told: ReadonlySet<string> = new Set();

  constructor(files: () => CredentialFiles, log: (record: LogRecord) => void) {
    this.#files = files;
    this.#log = log;
  }

  /** These are all peers in use; what was said the last time is not said again. */
  tell(peers: readonly PeerPolicy[]): void {
    const files = this.#files();
    // What is made of private keys erases them, and lanes need them. Buffer's slice would be no copy.
    const privateKeys = files.privateKeys.map((file) => ({ ...file, bytes: new Uint8Array(file.bytes) }));
    const keynoteCredentials = files.keynoteCredentials.map((one) => ({
      ...one,
      privateKey: new Uint8Array(one.privateKey),
    }));
    const credentials = createCredentials({ ...files, privateKeys, keynoteCredentials, policy: undefined });
    const texts = unsignedPeers(peers, credentials, files);
    const news = texts.filter((text) => !this.#told.has(text));
    for (const text of news.slice(0, MOST_TOLD)) this.#log(notice('credentials-odd', `credentials: ${text}`));
    const more = news.length - MOST_TOLD;
    if (more > 0) {
      const text = `${more} more peers want signatures without a private key of ours: isakmpd --check lists them`;
      this.#log(notice('credentials-odd', `credentials: ${text}`));
    }
    this.#told = new Set(texts);
  }
}

/** One missing key is missing for ten thousand peers. */
const MOST_TOLD = 20;
