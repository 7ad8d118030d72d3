import { basename, join } from 'node:path'
import type { DownloadItem, Session, WebContents } from 'electron'
import { isOurPage, OUR_BLOBS } from './app-scheme.ts'

type Item = Pick<DownloadItem, 'getURL' | 'getFilename' | 'setSaveDialogOptions'>

/**
 * Lets our page save what it made itself (a CSV, a picture, diagnostics), where the person says. Nothing else is ever
 * downloaded. Without a path of ours Electron asks with a dialog.
 * @param folder what the dialog opens with
 */
export function guardDownloads(session: Pick<Session, 'on'>, folder: () => string): void {
  session.on('will-download', (event, item, contents) => {
    if (!mayDownload(item, contents)) event.preventDefault()
    else item.setSaveDialogOptions({ defaultPath: join(folder(), basename(item.getFilename())) })
  })
}

const mayDownload = (item: Item, contents: Pick<WebContents, 'getURL'>): boolean =>
  item.getURL().startsWith(OUR_BLOBS) && isOurPage(contents.getURL())
