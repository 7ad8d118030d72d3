/** Offers text as a file to be saved. Inside a click. */
export function saveTextFile(fileName: string, text: string, type = 'text/plain'): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
  // The browser has its own hold on it as soon as the download has begun.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
