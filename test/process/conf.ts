/** A configuration with one server; `main` is put in front of it. */
export function oneServer(listen: string | number, body = 'return 200 "one";', main = ''): string {
  return `error_log error.log notice;
${main}
events {}
http {
    access_log off;
    server {
        listen ${typeof listen === 'number' ? `127.0.0.1:${listen}` : listen};
        location / { ${body} }
    }
}
`;
}
