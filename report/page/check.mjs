// Opens every page of a folder in Chromium, at three widths, light and dark, and holds it to what it promises: nothing is
// loaded or run, nothing is wider than the window, no figure is broken, axe-core finds no fault. Pictures go beside the pages.
//
//     node check.mjs FOLDER        with axe-core and playwright-core in ./node_modules
import { chromium } from 'playwright-core';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = resolve(process.argv[2]);
const axe = readFileSync(createRequire(join(process.cwd(), 'x.js')).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
let faults = 0;
let views = 0;
const fault = (where, what) => { faults++; console.error(`${where}: ${what}`); };

for (const name of readdirSync(folder).filter((f) => f.endsWith('.html')).sort()) {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of name === 'fleet.html' ? [360] : [360, 768, 1600]) {
      const where = `${name} ${colorScheme} ${width}`;
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      const page = await context.newPage();
      page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') fault(where, `console: ${m.text()}`); });
      page.on('request', (r) => { if (!r.url().startsWith('file:')) fault(where, `asks for ${r.url()}`); });
      page.on('dialog', (d) => { fault(where, `dialog ${d.message()}`); d.dismiss(); });
      await page.goto(pathToFileURL(join(folder, name)).href);
      const [wide, room, scripts] = await page.evaluate(() => [
        document.documentElement.scrollWidth, document.documentElement.clientWidth, document.scripts.length]);
      if (wide > room) fault(where, `is ${wide} wide in a window of ${room}`);
      if (scripts > 0) fault(where, `holds ${scripts} scripts`);
      for (const d of await page.$$('details')) await d.evaluate((e) => { e.open = true; });
      const broken = await page.evaluate(() => [...document.querySelectorAll('td.n')].map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return /^[\d.%-]+$/.test(cell.textContent) && range.getClientRects().length > 1 ? cell.textContent : '';
      }).filter(Boolean));
      if (broken.length > 0) fault(where, `breaks the figure ${broken[0]} and ${broken.length - 1} more`);
      // The page's own policy lets nothing run, axe included, but what the browser itself evaluates.
      await page.evaluate(axe);
      const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
      for (const v of found.violations) {
        fault(where, `${v.impact}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`);
      }
      for (const d of await page.$$('details')) await d.evaluate((e) => { e.open = false; });
      if (name !== 'fleet.html') {
        await page.screenshot({ path: join(folder, `${name}.${width}.${colorScheme}.png`), fullPage: true });
      }
      views++;
      await context.close();
    }
  }
  // By keyboard alone: the first stop skips to the content.
  const page = await browser.newPage();
  await page.goto(pathToFileURL(join(folder, name)).href);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const at = await page.evaluate(() => document.activeElement.id);
  if (at !== 'content') fault(name, `the skip link leads to "${at}"`);
  if (name === 'full.html') await page.pdf({ path: join(folder, 'full.pdf'), format: 'A4', printBackground: false });
  await page.close();
}
// The charts of the step summary: Mermaid has to take each, and to draw what the names in it are and nothing else.
const mermaid = readFileSync(createRequire(join(process.cwd(), 'x.js')).resolve('mermaid/dist/mermaid.min.js'), 'utf8');
let charts = 0;
for (const name of readdirSync(folder).filter((f) => f.endsWith('.md')).sort()) {
  const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
  page.on('request', (r) => { if (!r.url().startsWith('about:')) fault(name, `asks for ${r.url()}`); });
  await page.setContent('<!doctype html><title>charts</title><body></body>');
  await page.addScriptTag({ content: mermaid });
  for (const [, code] of readFileSync(join(folder, name), 'utf8').matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)) {
    const wrong = await page.evaluate(async ([code, id]) => {
      window.mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' });
      try {
        const { svg } = await window.mermaid.render(id, code);
        document.body.insertAdjacentHTML('beforeend', svg);
        return /<script|onerror=|<img/i.test(svg) ? `draws ${svg}` : '';
      } catch (e) { return String(e); }
    }, [code, `chart${charts}`]);
    if (wrong) fault(name, `Mermaid: ${wrong}\n${code}`);
    charts++;
  }
  await page.screenshot({ path: join(folder, `${name}.charts.png`), fullPage: true });
  await page.close();
}
await browser.close();
if (charts === 0) fault(folder, 'holds no chart');
console.log(`note: ${views} views and ${charts} charts, ${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
