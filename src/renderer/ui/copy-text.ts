import { safeLines } from '../../shared/safe-text.ts'

/**
 * Puts text on the clipboard, inside a click, and nothing that would act on the terminal it is pasted into. The old command on purpose: `navigator.clipboard` asks for a permission,
 * and this window grants none.
 */
export function copyText(text: string): boolean {
  const put = (event: ClipboardEvent): void => {
    event.preventDefault()
    event.clipboardData?.setData('text/plain', safeLines(text))
  }
  document.addEventListener('copy', put, { once: true })
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- see above
    return document.execCommand('copy')
  } finally {
    document.removeEventListener('copy', put)
  }
}
