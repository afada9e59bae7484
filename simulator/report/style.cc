#include "simulator/report/style.h"

namespace spillway {

std::string_view ReportStyle() {
  return R"css(
:root{color-scheme:light dark;
--page:#fdfdfc;--ink:#1b1e21;--soft:#5a6168;--rule:#e3e5e7;--faint:#f3f4f4;--accent:#1d5fa8;--warn:#a33a12;--shade:#1b1e2126;
--c0:#2a6db5;--c1:#c4621c;--c2:#23846b;--c3:#8550a6;--c4:#94781a;--c5:#bd3d62;--c6:#557f2b;--c7:#6a737c}
@media(prefers-color-scheme:dark){:root{
--page:#15181b;--ink:#e9ebed;--soft:#a3abb2;--rule:#30353a;--faint:#1e2226;--accent:#7db4ee;--warn:#f2a07c;--shade:#00000080;
--c0:#6aa7ea;--c1:#ee9a5c;--c2:#55c2a2;--c3:#c496e0;--c4:#d6ba55;--c5:#f0829e;--c6:#9aca70;--c7:#a6b0b9}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1000px;margin:0 auto;padding:40px 24px 80px}
h1,h2,h3{line-height:1.25;font-weight:600;margin:0}
h1{font-size:15px;font-weight:500;color:var(--soft)}
h2{font-size:22px;margin:64px 0 4px}
h3{font-size:16px;margin:36px 0 2px}
p{margin:6px 0 12px;max-width:70ch}
.verdict{font-size:23px;line-height:1.4;font-weight:500;margin:10px 0 14px;max-width:46em;text-wrap:pretty}
dl.verdicts{display:grid;grid-template-columns:max-content 1fr;gap:10px 28px;margin:24px 0 8px;padding:16px 0 0;border-top:1px solid var(--rule)}
.verdicts dt{font-weight:600}.verdicts dd{margin:0;max-width:80ch}
.says,.note,figcaption{color:var(--soft)}
.note,figcaption{font-size:14px;max-width:80ch}
.figures{display:grid;grid-template-columns:repeat(3,1fr);gap:0 28px;margin:28px 0 8px;padding:0;border-top:1px solid var(--rule)}
.figures div{padding:14px 0 12px;border-bottom:1px solid var(--rule)}
.figures dt{font-size:14px;color:var(--soft)}
.figures dd{margin:0}
.figures .big{font-size:25px;font-weight:600;line-height:1.3}
.figures .beside{font-size:14px;color:var(--soft)}
figure{margin:14px 0 0}figcaption{margin-top:6px}
svg{display:block;max-width:100%;height:auto;overflow:visible}
svg text{font-size:12px;fill:var(--soft)}
svg .strong,svg .name{fill:var(--ink)}
svg .name{paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}
svg .strong{font-weight:600}
svg .warn,.warn{fill:var(--warn);color:var(--warn);font-weight:600}
.narrow{display:none}
.grid{stroke:var(--rule)}
.axis{stroke:var(--soft);stroke-opacity:.6}
.goal{stroke:var(--accent);stroke-dasharray:5 4}
svg .goal-text{fill:var(--accent)}
.leader,.tie,.whisker{stroke:var(--soft);fill:none}
.leader{stroke-opacity:.55}.tie{stroke-dasharray:2 3}
.full{fill:var(--ink);stroke:var(--page);stroke-width:1}
.hollow{fill:var(--page);stroke:var(--ink);stroke-width:1.5}
.dot.on .full{fill:var(--accent)}.dot.on .hollow{stroke:var(--accent)}
svg .dot.on .name{fill:var(--accent);font-weight:600}
.bar,.heat{fill:var(--c)}
.falls{fill-opacity:.28;stroke:var(--c)}
.total{--c:var(--ink)}
.p0{--c:var(--c0)}.p1{--c:var(--c1)}.p2{--c:var(--c2)}.p3{--c:var(--c3)}.p4{--c:var(--c4)}.p5{--c:var(--c5)}.p6{--c:var(--c6)}.p7{--c:var(--c7)}
.empty{fill:var(--faint);stroke:var(--rule)}
.l1{opacity:.1}.l2{opacity:.2}.l3{opacity:.3}.l4{opacity:.4}.l5{opacity:.5}.l6{opacity:.6}.l7{opacity:.7}.l8{opacity:.8}.l9{opacity:.9}
.line{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-linejoin:round}
.base .line{stroke-dasharray:6 4}
.badge{fill:var(--page);stroke:var(--soft)}
svg .badge-text{fill:var(--ink);font-size:11px}
.curve.on .line{stroke:var(--accent);stroke-width:2.5}.curve.on .badge{fill:var(--accent);stroke:var(--accent)}
svg .curve.on .badge-text{fill:var(--page);font-weight:600}
.scroll{overflow-x:auto;margin:14px 0 0;outline-offset:4px;background:linear-gradient(to right,var(--page) 40%,transparent) left/36px 100% no-repeat local,linear-gradient(to left,var(--page) 40%,transparent) right/36px 100% no-repeat local,linear-gradient(to right,var(--shade),transparent) left/12px 100% no-repeat scroll,linear-gradient(to left,var(--shade),transparent) right/12px 100% no-repeat scroll}
table{border-collapse:collapse;font-size:14px;width:100%}
th,td{padding:7px 14px 7px 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule);vertical-align:top}
th{font-weight:500;color:var(--soft);vertical-align:bottom}
th.l,td.l{text-align:left}
td.wrap{white-space:normal;min-width:18em}
tbody th{color:var(--ink);font-weight:500;text-align:left;vertical-align:top}
tr.base td,tr.base th{background:var(--faint)}
tr.on td,tr.on th{color:var(--accent)}
td.mono,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-align:inherit}
th button:hover,th button:focus-visible{color:var(--ink);text-decoration:underline}
th[aria-sort=ascending] button::after{content:" \2191"}
th[aria-sort=descending] button::after{content:" \2193"}
label{font-size:14px;color:var(--soft);display:block;margin:44px 0 0}
select{font:inherit;font-size:16px;color:var(--ink);background:var(--page);border:1px solid var(--soft);border-radius:6px;padding:7px 10px;max-width:100%;display:block;margin-top:4px}
.detail{margin-top:8px}
pre{background:var(--faint);padding:14px 16px;border-radius:6px;overflow-x:auto;margin:14px 0 0}
ul{padding-left:1.2em;margin:8px 0;max-width:80ch}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:6px 24px;margin:14px 0 0;font-size:15px}
.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
.key{display:inline-block;vertical-align:-1px}
html:not(.js) .script{display:none}
@media(max-width:700px){main{padding:24px 16px 56px}.wide{display:none}.narrow{display:block}
.verdict{font-size:19px}h2{font-size:20px;margin-top:48px}.figures{grid-template-columns:1fr 1fr;gap:0 16px}.figures .big{font-size:21px}
dl.facts,dl.verdicts{grid-template-columns:1fr;gap:0}.facts dd,.verdicts dd{margin:0 0 10px}}
@media print{.script{display:none}.detail[hidden]{display:block}main{max-width:none;padding:0}figure,tr{break-inside:avoid}}
)css";
}

std::string_view ReportScript() {
  return R"js(
(function(){
var d=document;d.documentElement.className='js';
function all(s,f){Array.prototype.forEach.call(d.querySelectorAll(s),f)}
function show(select){var load=select.getAttribute('data-load'),row=select.value;
all('[data-load="'+load+'"] [data-row]',function(e){
var on=e.getAttribute('data-row')===row;
if(e.classList.contains('detail')){e.hidden=!on}else{e.classList.toggle('on',on)}})}
all('select[data-load]',function(s){s.addEventListener('change',function(){show(s)});show(s)});
function key(cell){var v=cell.getAttribute('data-v');if(v===null)return cell.textContent;
return v===''?-Infinity:parseFloat(v)}
all('table.sort',function(t){all('#'+t.id+' thead th',function(th){
var b=d.createElement('button');b.type='button';
while(th.firstChild)b.appendChild(th.firstChild);th.appendChild(b);
b.addEventListener('click',function(){
var up=th.getAttribute('aria-sort')!=='ascending',i=th.cellIndex,body=t.tBodies[0];
all('#'+t.id+' thead th',function(o){o.removeAttribute('aria-sort')});
th.setAttribute('aria-sort',up?'ascending':'descending');
Array.prototype.slice.call(body.rows).map(function(r,n){return{r:r,n:n,k:key(r.cells[i])}}).sort(function(a,b){
var c=a.k<b.k?-1:a.k>b.k?1:0;return c?(up?c:-c):a.n-b.n}).forEach(function(e){body.appendChild(e.r)})})})});
})();
)js";
}

}  // namespace spillway
