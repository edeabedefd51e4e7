larin he tami hund
ren Ruma ba so tami larin he yar rez
bri
wop aka ïk elum ox
nip wop he aka elum rez ïk pal vig
gre sok
sok mon vig
ula ïk he ox ba bri
ox kade
ox rez mon jol vig mon nip so tami
pal ba dorn ren ïk he ox kade
iss
aka ba sok kwil ba larin
bri ren ïk Ruma ox kade
ïk hund dato larin he yar rez
jol dorn he ren Ruma mon
Ruma mon ba ba hund Ruma he ox aka
ox mon bri
so aka ïk iss ox ïk
ula larin he yar rez vig ba ba hund
jol dorn
rez
ox
ox ïk kade
kade elum mon vig yar rez mon bri gre
ba kwil ba wop
sok kade mon jol
elum
pal vig
ters he ba larin yar
dorn ba mon nip wop aka ïk elum iss
kade mon iss sok he
rez pal mon
dorn ren ïk kade ïk elum vig ters
iss sok
iss
hund ba larin tami
so
iss ters mon nip so dorn he ula ïk
ïk ba mon nip dato dorn
ox kade mon kwil bri
elum
sok kade mon jol
dato sok he he
so tami he ren ïk yar he gre
mon kade mon jol vig
kade kwil ba bri ters mon wop sok he
he he tami hund iss
mon iss sok
bri mon jol
jol he ren Ruma he ula ba
ters
aka elum mon ters he ba
ters he ba aka pal
pal vig ba ters he elum mon iss ters
ren ïk he rez
yar rez mon jol ren Ruma mon nip
yar ïk dato sok he ula ïk ox
ula ïk he ox
ïk ox he aka elum
tami hund mon dato dorn ba mon nip so
gre
nip so ba dorn ula ba wop
kade ba bri ren nip mon dato
