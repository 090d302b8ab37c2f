/** Which interface carries the default route, from the text of /proc/net/route and /proc/net/ipv6_route. */

/** The interface of the IPv4 default route with the lowest metric; undefined where there is none. */
export const defaultInterface4 = (text: string): string | undefined =>
  bestOf(
    rowsOf(text).flatMap(([name = '', destination, , flags = '', , , metric = '', mask]) =>
      destination === '00000000' && mask === '00000000' ? routeOf(name, flags, Number(metric)) : [],
    ),
  );

/** The same for IPv6. */
export const defaultInterface6 = (text: string): string | undefined =>
  bestOf(
    rowsOf(text).flatMap(([destination, length, , , , metric = '', , , flags = '', name = '']) =>
      destination === '0'.repeat(32) && length === '00' ? routeOf(name, flags, Number.parseInt(metric, 16)) : [],
    ),
  );

interface Route {
  readonly name: string;
  readonly metric: number;
}

const rowsOf = (text: string): readonly (readonly string[])[] => text.split('\n').map((row) => row.trim().split(/\s+/));

/** `flags` in hexadecimal. A route that rejects is none. */
const routeOf = (name: string, flags: string, metric: number): readonly Route[] => {
  const bits = Number.parseInt(flags, 16);
  const isUsable = name !== '' && (bits & RTF_UP) !== 0 && (bits & RTF_REJECT) === 0 && Number.isFinite(metric);
  return isUsable ? [{ name, metric }] : [];
};

const bestOf = (routes: readonly Route[]): string | undefined =>
  routes.toSorted((a, b) => a.metric - b.metric).at(0)?.name;

/** linux/route.h */
const RTF_UP = 0x0001;
const RTF_REJECT = 0x0200;
