/** What a `server` block says about HTTP/2 from clients, compiled. Limits are per connection. */
export interface Http2Settings {
  /** `http2`. */
  readonly isOn: boolean;
  /** `http2_max_concurrent_streams`. */
  readonly maxConcurrentStreams: number;
  /** `http2_body_preread_size`: how much of a request's body a client may send before somebody reads it. */
  readonly bodyPrereadBytes: number;
  /** `http2_max_resets_per_second`: streams that may end in a reset; 0 = no limit. */
  readonly maxResetsPerSec: number;
  /** `http2_max_control_frames_per_second`: PING, SETTINGS and other frames that carry no request; 0 = no limit. */
  readonly maxControlFramesPerSec: number;
}

/** What holds where nothing is said. */
export const DEFAULT_HTTP2: Http2Settings = {
  isOn: false,
  maxConcurrentStreams: 128,
  bodyPrereadBytes: 65_536,
  maxResetsPerSec: 200,
  maxControlFramesPerSec: 1000,
};
