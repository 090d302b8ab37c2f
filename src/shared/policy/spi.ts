/** SPIs of IPsec SAs as numbers and as bytes. */

/** 4 bytes in network order, as ESP and AH carry it. */
export const spiBytes = (spi: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, spi);
  return bytes;
};

/** The number behind 4 SPI bytes; undefined for another length or a reserved value (RFC 2406 §2.1: 1-255 reserved, 0 local). */
export const spiNumber = (bytes: Uint8Array): number | undefined => {
  if (bytes.length !== 4) return undefined;
  const spi = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return spi < 0x100 ? undefined : spi;
};
