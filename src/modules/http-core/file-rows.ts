import { HTTP_SCOPES, LOCATION, LOCATION_IF } from '../../config/contexts.ts';
import { type DirectiveSpec, type DirectiveUse, directive } from '../../config/directive-spec.ts';
import { oneOf, texts } from '../../config/values.ts';
import type { HttpCoreConf } from './http-core-conf.ts';

const row = directive<HttpCoreConf>;

/** Directives about files and about who may ask. Files are not served yet: their settings are kept, and every file is missing. */
export const fileRows: readonly DirectiveSpec<HttpCoreConf>[] = [
  row({
    name: 'root',
    contexts: HTTP_SCOPES | LOCATION_IF,
    args: 1,
    repeat: 'last',
    apply: (conf, use) => setRoot(conf, use),
    syntax: 'path',
    defaultText: 'html',
    doc: 'Folder that `$document_root` and `$request_filename` name. Files are not served yet.',
  }),
  row({
    name: 'alias',
    contexts: LOCATION,
    args: 1,
    repeat: 'last',
    apply: (conf, use) => setRoot(conf, use),
    syntax: 'path',
    doc: "Folder in place of the location's path, as `root`. Files are not served yet.",
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
    doc: 'No effect yet: files are not served.',
  }),
  row({
    name: 'etag',
    contexts: HTTP_SCOPES,
    args: 'flag',
    repeat: 'error',
    syntax: 'on | off',
    doc: 'No effect yet: files are not served.',
  }),
  row({
    name: 'if_modified_since',
    contexts: HTTP_SCOPES,
    args: 1,
    repeat: 'error',
    apply: (_conf, use) => {
      oneOf(['off', 'exact', 'before'])(use);
    },
    syntax: 'off | exact | before',
    doc: 'No effect yet: files are not served.',
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
    const earlier = conf.isAlias === true ? 'alias' : 'root';
    use.fail(
      earlier === use.name
        ? `"${use.name}" directive is duplicate`
        : `"${use.name}" directive is duplicate, "${earlier}" directive was specified earlier`,
    );
  }
  if (isAlias && conf.location?.kind === 'named') {
    use.fail('the "alias" directive cannot be used inside the named location');
  }
  conf.root = use.args[0] ?? '';
  conf.isAlias = isAlias;
}

function parseIndex(use: DirectiveUse): readonly string[] {
  const names = texts(use);
  const absolute = names.findIndex((name) => name.startsWith('/'));
  if (absolute >= 0 && absolute < names.length - 1) {
    use.warn('only the last index in "index" directive should be absolute');
  }
  return names;
}
