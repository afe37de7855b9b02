/** evenkeel's own version: the one of package.json (a test compares them). */
export const VERSION = '0.1.0';

/** The nginx whose behaviour is followed: what `-V`, the `Server` field and error pages say. */
export const NGINX_VERSION = '1.29.8';
