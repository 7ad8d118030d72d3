/** What a picture needs of the page's styles, as attributes: it is drawn without the page's style sheets. */
const PAINT = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-opacity',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'paint-order'
]

const SHARPNESS = 2
const MARGIN = 16
const CAPTION_HEIGHT = 24

/** A chart as PNG, on the page's own background, with a line of text below. Fails where the browser cannot draw it. */
export async function chartPicture(svg: SVGSVGElement, caption: string): Promise<Blob> {
  const { width, height } = svg.getBoundingClientRect()
  const image = await loaded(new Blob([standingAlone(svg, width, height)], { type: 'image/svg+xml' }))
  const canvas = document.createElement('canvas')
  canvas.width = (width + 2 * MARGIN) * SHARPNESS
  canvas.height = (height + 2 * MARGIN + CAPTION_HEIGHT) * SHARPNESS
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('no canvas')
  context.scale(SHARPNESS, SHARPNESS)
  context.fillStyle = backgroundOf(svg)
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(image, MARGIN, MARGIN, width, height)
  const { color, fontFamily } = getComputedStyle(svg)
  context.fillStyle = color
  context.font = `13px ${fontFamily}`
  context.fillText(caption, MARGIN, MARGIN + height + CAPTION_HEIGHT)
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error('no picture')) : resolve(blob)), 'image/png')
  )
}

function standingAlone(svg: SVGSVGElement, width: number, height: number): string {
  const copy = svg.cloneNode(true) as SVGSVGElement
  const originals = [svg, ...svg.querySelectorAll('*')]
  const copies = [copy, ...copy.querySelectorAll('*')]
  copies.forEach((element, n) => paint(element, originals[n]))
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', String(width))
  copy.setAttribute('height', String(height))
  return new XMLSerializer().serializeToString(copy)
}

function paint(copy: Element, original: Element | undefined): void {
  if (original === undefined) return
  const computed = getComputedStyle(original)
  for (const name of PAINT) copy.setAttribute(name, computed.getPropertyValue(name))
  copy.removeAttribute('style')
  copy.removeAttribute('class')
}

async function loaded(blob: Blob): Promise<HTMLImageElement> {
  const url = URL.createObjectURL(blob)
  try {
    const image = new Image()
    image.src = url
    await image.decode()
    return image
  } finally {
    URL.revokeObjectURL(url)
  }
}

/** Of the first thing behind it that has one. */
function backgroundOf(element: Element): string {
  for (let behind: Element | null = element; behind !== null; behind = behind.parentElement) {
    const { backgroundColor } = getComputedStyle(behind)
    if (backgroundColor !== 'transparent' && !/^rgba\(.*, 0\)$/.test(backgroundColor)) return backgroundColor
  }
  return '#ffffff'
}
