import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assetPath } from '../../src/main/core/window-files/asset-path.ts'
import { contentPolicy, NONCE_PLACEHOLDER } from '../../src/main/core/window-files/content-policy.ts'
import { readAsset } from '../../src/main/core/window-files/read-asset.ts'
import { isOurPage } from '../../src/main/desktop/app-scheme.ts'
import { openLink, type ExternalLink } from '../../src/shared/external-links.ts'

describe('finding the file of a request', () => {
  it.each([
    ['/', '/bundle/index.html'],
    ['/index.html', '/bundle/index.html'],
    ['/index.html?x=1#y', '/bundle/index.html'],
    ['/assets/index-Dt_OWKEY.css', '/bundle/assets/index-Dt_OWKEY.css'],
    ['/assets/-a_b.c-1.js', '/bundle/assets/-a_b.c-1.js']
  ])('takes %s', (target, file) => {
    expect(assetPath('/bundle', target)).toBe(file)
  })

  it.each([
    '/../etc/passwd',
    '/assets/../../etc/passwd',
    '/..',
    '/.',
    '/%2e%2e/etc/passwd',
    '/%2E%2E%2fetc/passwd',
    '/%252e%252e/etc/passwd',
    '/..%2fetc%2fpasswd',
    '/..\\..\\etc\\passwd',
    '/assets\\..\\..\\secret',
    '/%5c..%5csecret',
    '/index.html\0.js',
    '/index.html%00.js',
    '//etc/passwd',
    '/assets//x.js',
    '/assets/',
    '/.hidden',
    '/assets/.env',
    '/C:/Windows/win.ini',
    '/index.html\n',
    '/caf\u00e9.js',
    '/\u202egnp.js',
    'index.html',
    ''
  ])('refuses %j', (target) => {
    expect(assetPath('/bundle', target)).toBeUndefined()
  })
})

describe('reading a file of the window', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-bundle-'))
  const bundle = join(folder, 'bundle')
  beforeAll(() => {
    mkdirSync(bundle)
    writeFileSync(join(folder, 'secret.js'), 'secret')
    writeFileSync(join(bundle, 'index.html'), `<style nonce="${NONCE_PLACEHOLDER}"></style>`)
    writeFileSync(join(bundle, 'main.js'), 'export {}')
    writeFileSync(join(bundle, 'notes.txt'), 'not part of a window')
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const textOf = async (target: string): Promise<string> =>
    new TextDecoder().decode((await readAsset(bundle, target)).body)

  it('gives each load of the page a nonce of its own, the same in page and policy', async () => {
    const nonces = await Promise.all(
      ['/', '/'].map(async (target) => {
        const { headers, body } = await readAsset(bundle, target)
        const nonce = /nonce="([^"]+)"/.exec(new TextDecoder().decode(body))?.[1] ?? ''
        expect(headers['content-security-policy']).toBe(contentPolicy(nonce))
        return nonce
      })
    )
    expect(new Set(nonces).size).toBe(2)
    expect(nonces.every((nonce) => nonce.length >= 22)).toBe(true)
  })

  it('says the type of a script, and that it is not to be guessed', async () => {
    const { status, headers } = await readAsset(bundle, '/main.js')
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'x-content-type-options': 'nosniff'
    })
  })

  it.each(['/../secret.js', '/notes.txt', '/gone.js', '/assets'])(
    'answers %s with 404 and nothing of the file',
    async (target) => {
      expect((await readAsset(bundle, target)).status).toBe(404)
      expect(await textOf(target)).toBe('Not found')
    }
  )
})

describe('the content policy', () => {
  const policy = contentPolicy('abc')
  it('allows nothing by default, and neither inline scripts nor eval nor the network', () => {
    expect(policy).toMatch(/^default-src 'none'; /)
    // A chart becomes a picture by way of a blob; nothing else does.
    expect(policy.replace("img-src 'self' blob:", '')).not.toMatch(/unsafe|https?:|data:|blob:|\*/)
    expect(policy).toContain("connect-src 'none'")
  })
})

describe('telling our own page', () => {
  it.each(['app://stillpoint/index.html', 'app://stillpoint/', 'APP://stillpoint/x'])('knows %s', (url) => {
    expect(isOurPage(url)).toBe(true)
  })
  it.each([
    'app://stillpoint.evil/index.html',
    'app://stillpoint@evil/',
    'app://stillpoint:8080/',
    'app://evil/stillpoint',
    'apps://stillpoint/',
    'https://stillpoint/',
    'file:///app://stillpoint/',
    'about:blank',
    'javascript:app://stillpoint/',
    ''
  ])('does not take %s for it', (url) => {
    expect(isOurPage(url)).toBe(false)
  })
})

describe('opening pages in the browser', () => {
  it.each(['https://evil.example/', '__proto__', 'constructor', ''])('opens nothing for %j', async (key) => {
    const opened: string[] = []
    await openLink((url) => Promise.resolve(void opened.push(url)), key as ExternalLink)
    expect(opened).toEqual([])
  })
  it('opens the address that belongs to a key', async () => {
    const opened: string[] = []
    await openLink((url) => Promise.resolve(void opened.push(url)), 'libvirtManual')
    expect(opened).toEqual(['https://libvirt.org/docs.html'])
  })
})
