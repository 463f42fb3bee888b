// The style sheet of report.html: system fonts, light and dark by the reader's preference, paper when printed. All
// text has a contrast of at least 4.5:1 against its background in both; series differ by dashes as well as colour.
#include "launcher/results/html_parts.hpp"

namespace avc::results::html {

std::string style() {
  return R"(
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1a2230;--dim:#566072;--rule:#dfe3ea;--good:#116329;
--good-bg:#dff3e4;--bad:#a40e26;--bad-bg:#fde3e6;--warn:#7a4b00;--warn-bg:#fdf0d0;--off:#4a4f8c;--off-bg:#e6e7f7;
--s0:#0a5fc4;--s1:#b04300;--band:#b0430020;--spike:#b04300;--on-spike:#fff}
@media (prefers-color-scheme:dark){:root{--bg:#12151b;--card:#1b2028;--ink:#e8ecf2;--dim:#a3adbd;--rule:#333b48;
--good:#7ee29a;--good-bg:#12351f;--bad:#ff9aa5;--bad-bg:#45151c;--warn:#ffd27a;--warn-bg:#3d2e0a;--off:#b9bdff;
--off-bg:#26284d;--s0:#72b1ff;--s1:#ffa563;--band:#ffa56326;--spike:#ffa563;--on-spike:#241405}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 20px 48px}
h1{font-size:1.35rem;margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:1.12rem;margin:0 0 12px}
h3{font-size:.95rem;margin:0}
section,.verdict{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:18px 20px;
margin:0 0 16px}
.verdict{border-left:8px solid}
.verdict .word{display:block;font-size:1.7rem;font-weight:700;line-height:1.2;margin-bottom:4px}
.verdict ul{margin:6px 0 0;padding-left:20px}
.verdict .code{color:var(--dim);font-size:.9rem}
.passed{border-left-color:var(--good)}.passed .word{color:var(--good)}
.warned{border-left-color:var(--warn)}.warned .word{color:var(--warn)}
.failed{border-left-color:var(--bad)}.failed .word{color:var(--bad)}
.invalid{border-left-color:var(--off)}.invalid .word{color:var(--off)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(112px,1fr));gap:12px;margin:0}
.tiles div{border:1px solid var(--rule);border-radius:8px;padding:10px 12px}
.tiles dt{color:var(--dim);font-size:.85rem}
.tiles dd{margin:0;font-size:1.25rem;font-weight:600;font-variant-numeric:tabular-nums}
.tiles small{font-weight:400;font-size:.8rem;color:var(--dim)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:16px 0 0;font-size:.93rem}
.facts dt{color:var(--dim)}.facts dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}.facts+.scroll{margin-top:16px}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--dim);padding-bottom:8px;font-size:.9rem}
th,td{text-align:left;padding:7px 8px;border-top:1px solid var(--rule);vertical-align:top}
thead th{border-top:0;color:var(--dim);font-weight:600;white-space:nowrap}
tbody th{font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}thead th.n{white-space:normal}
.sub{display:block;color:var(--dim);font-weight:400;font-size:.85rem;overflow-wrap:anywhere}
.tag{display:inline-block;border-radius:5px;padding:1px 8px;font-size:.85rem;font-weight:600;white-space:nowrap}
.tag.ok{color:var(--good);background:var(--good-bg)}.tag.no{color:var(--bad);background:var(--bad-bg)}
.tag.meh{color:var(--warn);background:var(--warn-bg)}
figure{margin:0 0 18px}
figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:4px 16px;margin-bottom:4px;
align-items:baseline}
.unit,.note{color:var(--dim);font-weight:400;font-size:.85rem}
p.note{margin:0}
svg{width:100%;height:auto;display:block}
.legend{display:flex;gap:16px;font-size:.87rem}
p.note{margin:0 0 10px}h1 .sub{font-size:.8rem}
.figures td,.figures tbody .f{border-top:0;padding-top:2px;padding-bottom:2px}
.figures .f{font-weight:400;padding-left:34px}.figures td.now{font-weight:700}
.figures .spike-head th{padding-top:10px}.figures tbody tr:last-child td,.figures tbody tr:last-child th{padding-bottom:10px}
.figures .remark{color:var(--dim);padding-left:34px;font-size:.87rem}
.figures .spike-head .sub{margin-left:26px}
.badge{display:inline-block;min-width:20px;text-align:center;border-radius:4px;background:var(--spike);
color:var(--on-spike);font-size:.75rem;font-weight:700;margin-right:2px;padding:0 4px}
.key::before{content:"";display:inline-block;width:24px;margin-right:6px;vertical-align:middle;
border-top:3px solid var(--s0)}
.k1::before{border-top:3px dashed var(--s1)}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.s0{stroke:var(--s0)}.s1{stroke:var(--s1);stroke-dasharray:3 7}
.grid{stroke:var(--rule);stroke-width:1}
.tick{fill:var(--dim);font-size:12px}
.band{fill:var(--band)}.spike{fill:var(--spike)}.on-spike{fill:var(--on-spike);font-size:11px;font-weight:700}
code{font-size:.9em}
pre{overflow:auto;max-height:420px;font-size:.83rem;background:var(--bg);border:1px solid var(--rule);
border-radius:8px;padding:12px;margin:8px 0 0}
summary{cursor:pointer;font-weight:600}
details+details{margin-top:12px}
footer{color:var(--dim);font-size:.85rem}
@media (max-width:520px){main{padding:12px 8px}section,.verdict{padding:14px 12px}.figures .f,.figures .remark{
padding-left:8px}.figures .spike-head .sub{margin-left:0}th,td{padding:6px 5px}.facts{grid-template-columns:1fr;gap:0}
.facts dd{margin-bottom:6px}.tick{font-size:19px}}
@media print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--dim:#444;--rule:#bbb;--good:#116329;
--bad:#a40e26;--warn:#7a4b00;--off:#4a4f8c;--s0:#0a5fc4;--s1:#b04300;--band:#b0430020;--spike:#b04300;--on-spike:#fff}
body{font-size:11pt}main{max-width:none;padding:0}section,.verdict{break-inside:auto;border-radius:0}
figure,tr,.figures tbody,.tiles div{break-inside:avoid}footer{break-before:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}
.band,.spike,.tag,.badge{-webkit-print-color-adjust:exact;print-color-adjust:exact}pre{max-height:none;white-space:pre-wrap}}
)";
}

}  // namespace avc::results::html
