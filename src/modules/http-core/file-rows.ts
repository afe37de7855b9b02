import { HTTP_SCOPES, LOCATION, LOCATION_IF } from '../../config/contexts.ts';
import { type DirectiveSpec, type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { integer, oneOf, texts } from '../../config/values.ts';
import { SYMLINK_RULES, type SymlinkRule } from '../static/open-file.ts';
import { ALIAS_OF_REGEX, type HttpCoreConf, type SymlinkConf } from './http-core-conf.ts';

const row = directive<HttpCoreConf>;

/** Directives about files and about who may ask. */
export const fileRows: readonly DirectiveSpec<HttpCoreConf>[] = [
  row({
    name: 'root',
    contexts: HTTP_SCOPES | LOCATION_IF,
    args: 1,
    repeat: 'last',
    apply: (conf, use) => setRoot(conf, use),
    syntax: 'path',
    defaultText: 'html',
    doc: 'Directory that the path of a request is looked for in.',
  }),
  row({
    name: 'alias',
    contexts: LOCATION,
    args: 1,
    repeat: 'last',
    apply: (conf, use) => setRoot(conf, use),
    syntax: 'path',
    doc: "What stands for the location's own path in the names of files.",
  }),
  row({
    name: 'index',
    contexts: HTTP_SCOPES,
    args: [1, Number.POSITIVE_INFINITY],
    field: 'index',
    repeat: 'last',
    parse: parseIndex,
    syntax: 'file …',
    defaultText: 'index.html',
    doc: 'Files that answer for their directory, the first that is there.',
  }),
  row({
    name: 'etag',
    contexts: HTTP_SCOPES,
    args: 'flag',
    field: 'etag',
    syntax: 'on | off',
    defaultText: 'on',
    doc: 'Whether files are sent with an `ETag`.',
  }),
  row({
    name: 'if_modified_since',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'ifModifiedSince',
    parse: oneOf(['off', 'exact', 'before']),
    syntax: 'off | exact | before',
    defaultText: 'exact',
    doc: 'Which times of `If-Modified-Since` are answered with 304.',
  }),
  row({
    name: 'max_ranges',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'maxRanges',
    parse: integer(),
    syntax: 'number',
    doc: 'More ranges than this in one request get the whole file; 0: all do.',
  }),
  row({
    name: 'disable_symlinks',
    contexts: HTTP_SCOPES,
    args: [1, 2],
    field: 'symlinks',
    parse: parseSymlinks,
    syntax: 'off | on | if_not_owner [from=part]',
    defaultText: 'off',
    doc: 'Whether files behind symbolic links are refused: all, or where link and file have different owners.',
  }),
  row({
    name: 'satisfy',
    contexts: HTTP_SCOPES,
    args: 1,
    field: 'satisfy',
    parse: oneOf(['all', 'any']),
    syntax: 'all | any',
    defaultText: 'all',
    doc: 'Whether all of `allow`/`deny` and `auth_basic` must let a client in, or one of them.',
  }),
  row({
    name: 'internal',
    contexts: LOCATION,
    args: 0,
    repeat: 'last',
    apply: (conf) => {
      conf.isInternal = true;
    },
    doc: 'The location is for internal redirects (`X-Accel-Redirect`) only; a client that asks for it gets 404.',
  }),
];

function setRoot(conf: Partial<HttpCoreConf>, use: DirectiveUse): void {
  const isAlias = use.name === 'alias';
  if (conf.root !== undefined) {
    const earlier = conf.aliasLength === 0 ? 'root' : 'alias';
    use.fail(
      earlier === use.name
        ? `"${use.name}" directive is duplicate`
        : `"${use.name}" directive is duplicate, "${earlier}" directive was specified earlier`,
    );
  }
  const [path = ''] = use.args;
  for (const name of ['document_root', 'realpath_root']) {
    if (path.includes(`$${name}`) || path.includes(`\${${name}}`)) {
      use.fail(`the $${name} variable cannot be used in the "${use.name}" directive`);
    }
  }
  conf.root = !isAlias && path.endsWith('/') ? path.slice(0, -1) : path;
  conf.aliasLength = isAlias ? aliasLengthOf(conf, use) : 0;
}

function aliasLengthOf({ location }: Partial<HttpCoreConf>, use: DirectiveUse): number {
  if (location?.kind === 'named') use.fail('the "alias" directive cannot be used inside the named location');
  return location?.kind === 'regex' ? ALIAS_OF_REGEX : (location?.name.length ?? 0);
}

function parseSymlinks(use: DirectiveUse): SymlinkConf {
  let rule: SymlinkRule | null = null;
  let from: string | null = null;
  for (const arg of use.args) {
    const known = SYMLINK_RULES.find((one) => one === arg);
    if (known !== undefined) rule = known;
    else if (arg.startsWith('from=')) from = arg.slice('from='.length);
    else use.fail(`invalid parameter "${arg}"`);
  }
  if (rule === null) return use.fail(`"${use.name}" must have "off", "on" or "if_not_owner" parameter`);
  if (use.args.length === 2 && from === null) use.fail(`duplicate parameters "${use.args[0]} ${use.args[1]}"`);
  if (from !== null && rule === 'off') use.fail('"from=" cannot be used with "off" parameter');
  return { rule, from };
}

function parseIndex(use: DirectiveUse): readonly string[] {
  const names = texts(use);
  const absolute = names.findIndex((name) => name.startsWith('/'));
  if (absolute >= 0 && absolute < names.length - 1) {
    use.warn('only the last index in "index" directive should be absolute');
  }
  return names;
}
