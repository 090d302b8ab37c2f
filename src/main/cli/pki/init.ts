/** `isakmpd pki init`: the key of this host, as the daemon makes it at its first start. */
import { HOST_KEY, wishText } from '../../../shared/pki/key-pair.ts';
import { newKeyPair, publicKeyFile } from '../../credentials/host-key.ts';
import { keyWish, type PkiCommand } from './command-line.ts';
import { placesOf, produce, type Terminal } from './files.ts';

export const initialise = async (command: PkiCommand, terminal: Terminal): Promise<void> => {
  const places = await placesOf(command);
  const wish = keyWish(command, HOST_KEY);
  const { privatePem, publicPem } = await newKeyPair(wish);
  produce(
    [
      { path: places.privateKey, text: privatePem, isSecret: true, what: `private key, ${wishText(wish)}` },
      { path: publicKeyFile(places), text: publicPem, isSecret: false, what: 'public key, to be copied to peers' },
    ],
    command,
    terminal,
  );
};
