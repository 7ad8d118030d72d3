type Env = Readonly<Record<string, string | undefined>>
export function electronBinary(root: string, env: Env): string | undefined
export function noElectronBecause(here: {
  readonly platform: string
  readonly uid: number | undefined
  readonly env: Env
}): string | undefined
export function sourceOf(env: Env): { readonly host: string; readonly port: number; readonly isProxied: boolean }
