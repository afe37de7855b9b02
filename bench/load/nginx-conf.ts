/** nginx's temporary folders, below `folder`, so that it runs for any user. evenkeel needs no such lines. */
export function nginxPaths(folder: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/temp_${name};`)
    .join('\n  ');
}

/** Name of the PEM file of certificate and key, in the benchmark's folder. */
export const CERTIFICATE = 'certificate.pem';

export interface ProxyConf {
  readonly listenPort: number;
  /** TLS and HTTP/2. */
  readonly tlsPort: number;
  readonly backendPorts: readonly number[];
  /** Log and pid go here. */
  readonly folder: string;
  readonly name: string;
  /** More lines for the http block. */
  readonly httpLines?: string;
}

/** The configuration that nginx and evenkeel both read. */
export function proxyConf({ listenPort, tlsPort, backendPorts, folder, name, httpLines = '' }: ProxyConf): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/${name}.pid;
error_log ${folder}/${name}.log crit;
events { worker_connections 8192; }
http {
  ${httpLines}
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600;
  upstream backend {
    ${backendPorts.map((port) => `server 127.0.0.1:${port};`).join('\n    ')}
    keepalive 1024;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${listenPort} backlog=4096;
    listen 127.0.0.1:${tlsPort} ssl http2 backlog=4096;
    ssl_certificate ${folder}/${CERTIFICATE};
    ssl_certificate_key ${folder}/${CERTIFICATE};
    ssl_session_cache shared:tls:10m;
    http2_max_concurrent_streams 128;
    client_max_body_size 0;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
    }
    location /gzip/ {
      gzip on;
      gzip_types application/json;
      gzip_proxied any;
      proxy_pass http://backend/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
    }
  }
}
`;
}
