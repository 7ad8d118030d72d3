/** Offers it as a download: the desktop asks where to, a browser does as it always does. */
export function saveFile(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
  // The browser has its own hold on it as soon as the download has begun.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
