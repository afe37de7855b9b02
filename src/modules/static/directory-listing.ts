import type { Exchange } from '../../http/exchange.ts';
import type { Location } from '../../http/location.ts';

/** Answers a request for a directory that has no index. `path` ends as the URI does, in `/`. */
export type DirectoryListing = (ex: Exchange, path: string) => void;

/** Key of a location's listing in `Location.compiled`. */
const LISTING = { name: 'directory listing' };

export function setDirectoryListing(location: Location, listing: DirectoryListing): void {
  location.compiled.set(LISTING, listing);
}

/** Null: directories without an index are forbidden. */
export function directoryListingOf(location: Location): DirectoryListing | null {
  return (location.compiled.get(LISTING) as DirectoryListing | undefined) ?? null;
}
