/** nginx's ngx_get_full_name: an absolute name stays, any other one hangs under `base` (which ends in `/`). Nothing is normalised. */
export function fullName(base: string, name: string): string {
  return name.startsWith('/') ? name : base + name;
}

/** The directory of a file, with its `/`: what `include` in the main file is relative to. */
export function directoryOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1);
}
