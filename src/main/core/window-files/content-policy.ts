/** Stands in the built page where the nonce of each load goes (`html.cspNonce` of Vite). */
export const NONCE_PLACEHOLDER = 'stillpoint-nonce-goes-here'

/**
 * The page's Content-Security-Policy: nothing, and then only what the window needs. Scripts come from files; Mantine
 * writes its variables into style elements, which the nonce lets through. Charts are saved as pictures by way of a blob.
 * @param connect what the page may connect to; nothing on the desktop, where it talks over IPC
 */
export function contentPolicy(nonce: string, connect = "'none'"): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' blob:",
    "font-src 'self'",
    `connect-src ${connect}`,
    "worker-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join('; ')
}
