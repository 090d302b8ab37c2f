/** Port arguments of the command line: numbers with C prefixes, service names, and which ports the daemon may open. */

export type PortArgument =
  | { readonly kind: 'port'; readonly port: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads `500`, `0x1f4`, `0764` or the name of a UDP service; `services` is the text of /etc/services. */
export const parsePort = (text: string, services: string): PortArgument => {
  const port = cNumber(text) ?? udpService(text, services);
  if (port === undefined) return { kind: 'refused', reason: `"${text}" is neither a number nor a UDP service` };
  if (port < 1 || port > 65_535) return { kind: 'refused', reason: `port ${text} is not between 1 and 65535` };
  return mayListen(port)
    ? { kind: 'port', port }
    : { kind: 'refused', reason: `port ${port} is neither 500 nor 1024 or above` };
};

/** isakmpd(8): only the default port 500 and unprivileged ports. */
export const mayListen = (port: number): boolean => port === IKE_PORT || (port >= 1024 && port <= 65_535);

/** A whole number as strtol(3) with base 0 reads it: `0x` hexadecimal, leading `0` octal. */
const cNumber = (text: string): number | undefined => {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]*$/.test(text) ? Number(text) : undefined;
};

/** services(5): `name port/protocol aliases # comment`. Names are case-sensitive. */
const udpService = (name: string, services: string): number | undefined => {
  for (const line of services.split('\n')) {
    const [first, at = '', ...aliases] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const port = /^([0-9]+)\/udp$/.exec(at)?.[1];
    if (port !== undefined && (first === name || aliases.includes(name))) return Number(port);
  }
  return undefined;
};

const IKE_PORT = 500;
