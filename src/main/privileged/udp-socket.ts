/** UDP sockets of the daemon, bound to the ports that it may have. */
import { nativeAddonFault } from '../../kernel/native/native.ts';
import { openDgramUdp } from '../../kernel/udp/dgram-udp.ts';
import { openNativeUdp } from '../../kernel/udp/native-udp.ts';
import type { OpenUdp, UdpRequest, UdpSocket } from '../../kernel/udp/udp-socket.ts';
import { mayListen } from '../../shared/cli/port.ts';
import { SystemError } from '../../shared/errors.ts';
import { causeOf, codeOf } from './system-fault.ts';

/** A bound socket, over the native addon where there is one. Rejects with SystemError. */
export const openUdpSocket = async (request: UdpRequest, open: OpenUdp = bestUdp()): Promise<UdpSocket> => {
  const { family, address, port } = request;
  const what = `cannot listen on ${family === 6 ? `[${address}]` : address} port ${port}`;
  if (!mayListen(port)) throw new SystemError(`${what}: only port 500 and ports from 1024 are allowed`);
  try {
    return await open(request);
  } catch (fault) {
    throw new SystemError(`${what}: ${causeOf(fault)}`, codeOf(fault));
  }
};

const bestUdp = (): OpenUdp => (nativeAddonFault() === undefined ? openNativeUdp : openDgramUdp);
