/** Counts what passes an Ethernet interface of this namespace, by what it is to an onlooker. */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { AddressFamily, SocketType } from '../../src/kernel/linux-sockets.ts';
import { NativeSocket } from '../../src/kernel/native/native-socket.ts';

/** Packets of IPv4, both directions. */
export interface WireCounts {
  readonly IKE: number;
  readonly ESP: number;
  readonly others: number;
}

/** Until `stop`, which answers the counts. Throws SystemError. */
export const watchWire = (interfaceName: string): (() => WireCounts) => {
  const counts = { IKE: 0, ESP: 0, others: 0 };
  const socket = NativeSocket.open({ family: AddressFamily.PACKET, type: SocketType.DGRAM, protocol: ALL_PROTOCOLS });
  socket.bind(addressOf(interfaceName));
  socket.setReceiveBuffer(RECEIVE_BUFFER);
  socket.startReading(
    { maxSize: 128, batch: 64 },
    {
      onBatch: (batch) => {
        for (let i = 0; i < batch.count; i++) {
          const kind = kindOf(batch.bytes(i));
          if (kind !== undefined) counts[kind]++;
        }
      },
      onError: (error) => {
        throw error;
      },
    },
  );
  return () => {
    socket.close();
    return counts;
  };
};

const kindOf = (packet: Uint8Array): keyof WireCounts | undefined => {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  // ARP, IPv6.
  if (packet.length < 20 || view.getUint8(0) >> 4 !== 4) return undefined;
  const [protocol, payload] = [view.getUint8(9), (view.getUint8(0) & 15) * 4];
  if (protocol === 50) return 'ESP';
  if (protocol !== 17 || packet.length < payload + 12) return 'others';
  const ports = [view.getUint16(payload), view.getUint16(payload + 2)];
  if (ports.includes(500)) return 'IKE';
  if (!ports.includes(4500)) return 'others';
  return view.getUint32(payload + 8) === 0 ? 'IKE' : 'ESP';
};

/** sockaddr_ll. */
const addressOf = (interfaceName: string): Uint8Array => {
  const view = new DataView(new ArrayBuffer(20));
  const isLittle = endianness() === 'LE';
  view.setUint16(0, AddressFamily.PACKET, isLittle);
  view.setUint16(2, ETH_P_ALL);
  view.setInt32(4, Number(readFileSync(`/sys/class/net/${interfaceName}/ifindex`, 'utf8')), isLittle);
  return new Uint8Array(view.buffer);
};

const ETH_P_ALL = 3;
/** In network byte order, as socket(2) wants it. */
const ALL_PROTOCOLS = endianness() === 'LE' ? ETH_P_ALL << 8 : ETH_P_ALL;
const RECEIVE_BUFFER = 8 << 20;
